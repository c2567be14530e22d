/** The gateway as a process: its first start, what it refuses, and its next start. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { createClient } from "../support/client.ts";
import { createEmptyDatabase, readMigrations } from "../support/migrations.ts";
import {
  createDirectory,
  productionEnvironment,
  runGateway,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

type Directory = Awaited<ReturnType<typeof createDirectory>>;

describe("in a directory of its own, with nothing configured", () => {
  let directory: Directory;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    directory = await createDirectory();
    gateway = await startGatewayProcess({ directory: directory.path });
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test("it is ready once it says where it listens", async () => {
    const response = await fetch(`${gateway.url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "ready",
      components: { database: "up", fanout: "up" },
    });
  });

  test("its keys are readable for their owner alone", async () => {
    for (const name of ["operator-key", "secrets"]) {
      const { mode } = await stat(join(directory.path, ".tidegate", name));
      expect((mode & 0o777).toString(8), `mode of ${name}`).toBe("600");
    }
  });

  test("what it prints can be typed in, and does what it says", async () => {
    // All that is indented from `export KEY=…` on, as somebody would copy it.
    const lines = gateway.stdout().split("\n");
    const script = lines
      .slice(lines.findIndex((line) => line.startsWith("  export KEY=")))
      .map((line) => line.slice(2))
      .join("\n");
    expect(script).toContain(gateway.operatorKey);
    const shell = spawn("sh", { detached: true, stdio: ["pipe", "pipe", "ignore"] });
    let output = "";
    shell.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    shell.stdin.end(`${script}\nwait\n`); // for the stream, which the script leaves running
    try {
      const parts = {
        tenant: /\{"[^\n]*"tenant":"acme"|\{"name":"acme"/,
        stream: /data: \{"specversion":"1.0".*"amount":4200.*\}\}\nid: /,
        append: /"sequence":"0{19}1","cursor":"[\w-]{64}","duplicate":false/,
        page: /\{"events":\[\{"specversion":"1.0".*"amount":4200/,
        endpoint: /"url":"http:\/\/localhost:3000\/hook".*"secret":"whsec_/,
      };
      for (const [what, pattern] of Object.entries(parts)) {
        await waitUntil(() => pattern.test(output), { what: `${what} in the output` }).catch(
          (cause: unknown) => {
            throw new Error(output, { cause });
          },
        );
      }
      expect(output).not.toContain("problems/");
    } finally {
      process.kill(-(shell.pid ?? 0), "SIGKILL");
      await once(shell, "close");
    }
  });

  test("a second process in the same directory is refused, and the first goes on", async () => {
    const { code, stdout, stderr } = await runGateway({ directory: directory.path });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    const message = stderr.split("\n").find((line) => line.startsWith("tidegate: "));
    expect(message).toContain(join(directory.path, ".tidegate"));
    expect(message).toContain(`in use by process ${gateway.pid}`);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });

  test("SIGTERM ends it with 0, and started again it has its keys and its events", async () => {
    const before = createClient(gateway.url, gateway.operatorKey);
    await before.tenant("restarted");
    const key = await before.tenantKey("restarted");
    await before.append("restarted", { n: 1 });
    const second = await before.append("restarted", { n: 2 });
    const { code, signal } = await gateway.terminate();
    expect({ code, signal }).toEqual({ code: 0, signal: null });

    const { operatorKey } = gateway;
    gateway = await startGatewayProcess({ directory: directory.path });
    expect(gateway.operatorKey).toBe(operatorKey);
    const after = createClient(gateway.url, key);
    const events = await after.readAll("restarted");
    expect(events.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(events[1]?.id).toBe(second.id);
    expect(await after.readAll("restarted", second.cursor)).toEqual([]);
    const third = await after.append("restarted", { n: 3 });
    expect(Number(third.sequence)).toBe(3);
  });
});

describe("refuses to start, in words and with exit code 1,", () => {
  let directory: Directory;

  beforeAll(async () => {
    directory = await createDirectory();
  });

  afterAll(async () => {
    await directory[Symbol.asyncDispose]();
  });

  test("when a variable is unknown", async () => {
    const env = { TIDEGATE_RETRY_SHEDULE: "5s" };
    const { code, stdout, stderr } = await runGateway({ directory: directory.path, env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^tidegate: .*\n.*TIDEGATE_RETRY_SHEDULE/);
    expect(stderr).not.toContain("    at "); // a stack is no message
  });

  test("in production without a database", async () => {
    const env = { NODE_ENV: "production" };
    const { code, stdout, stderr } = await runGateway({ directory: directory.path, env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^tidegate: .*\n.*DATABASE_URL/);
    await expect(stat(join(directory.path, ".tidegate"))).rejects.toThrow("ENOENT");
  });
});

test("six processes at once on an empty database all come up without an error", async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createEmptyDatabase());
  const directory = opened.use(await createDirectory());
  const env = { ...productionEnvironment(url), LOG_LEVEL: "error" };
  const roles = ["api", "api", "push", "push", "api,push", "api,push"];
  const gateways = await Promise.all(
    roles.map(async (TIDEGATE_ROLES) => {
      const options = { directory: directory.path, env: { ...env, TIDEGATE_ROLES } };
      return opened.use(await startGatewayProcess(options));
    }),
  );
  for (const gateway of gateways) {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect(gateway.stderr()).toBe("");
  }
  const { sql, stop } = openDatabase(url, { connections: 1, name: "test" });
  opened.defer(stop);
  const [schema] = await sql`select
    (select count(*)::int from drizzle.__drizzle_migrations) as migrations,
    (select count(*)::int from log_settings where restored_at is null) as settings,
    (select count(*)::int from keys) as keys`;
  expect(schema).toEqual({ migrations: readMigrations().length, settings: 1, keys: 1 });
});
