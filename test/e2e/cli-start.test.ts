/** `tidegate start` and `doctor`, and how commands find the gateway of their own directory. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { chmod, copyFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { generateKeyRing } from "../../src/keyring.ts";
import { jsonLines, runCli, startCli } from "../support/cli.ts";
import { createEmptyDatabase } from "../support/migrations.ts";
import { natsUrl } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory } from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

/** Each command is a process, which takes a second and more to start on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

type Finding = { verdict: string; what: string; text: string; advice?: string };

let directory: Awaited<ReturnType<typeof createDirectory>>;

beforeAll(async () => {
  directory = await createDirectory();
});

afterAll(() => directory[Symbol.asyncDispose]());

async function doctor(env: Record<string, string>, ...args: string[]) {
  const result = await runCli(["doctor", "--json", ...args], { cwd: directory.path, env });
  const findings = jsonLines<Finding>(result.stdout);
  return { ...result, findings, of: (what: string) => findings.find((each) => each.what === what) };
}

test("a gateway that was started here is found with its key, without any option", async () => {
  const cwd = directory.path;
  using gateway = startCli(["start", "--port", "0"], { cwd, env: { LOG_LEVEL: "error" } });
  const url = await waitUntil(() => /^listening on (\S+)$/m.exec(gateway.stdout())?.[1], {
    deadlineMs: 60_000,
  });
  const env = { TIDEGATE_URL: url };
  const created = await runCli(["tenants", "create", "acme"], { cwd, env });
  expect(created).toMatchObject({ code: 0, stdout: "acme is there\n", stderr: "" });
  const sent = await runCli(["send", "--type", "a.b", "--data", "1"], { cwd, env });
  expect(sent).toMatchObject({ code: 0, stderr: "" });
  const read = await runCli(["tail", "--from", "earliest", "-n", "1", "--json"], { cwd, env });
  expect(jsonLines(read.stdout)).toMatchObject([{ tenant: "acme", data: 1 }]);

  const elsewhere = await runCli(["tail"], { env });
  expect(elsewhere).toMatchObject({ code: 2, stdout: "" });
  expect(elsewhere.stderr).toMatch(/No key is given[^]*TIDEGATE_KEY/);

  const healthy = await doctor(env, "--url", url);
  expect(healthy.of("gateway")).toMatchObject({
    verdict: "ok",
    text: expect.stringContaining(`${url} is ready: database up, fanout up`),
  });
  expect(healthy.of("gateway's clock")).toMatchObject({ verdict: "ok" });
  expect(healthy.of("key")).toMatchObject({ verdict: "ok", text: "an operator's" });
  expect(healthy.of("data directory")).toMatchObject({ verdict: "ok" });
  const key = join(cwd, ".tidegate", "operator-key");
  await chmod(key, 0o644);
  expect((await doctor(env)).of("data directory")).toMatchObject({
    ...{ verdict: "warn", advice: expect.stringContaining("chmod 600") },
  });
  const other = await createDirectory();
  await copyFile(key, join(other.path, "operator-key"));
  const found = await runCli(["tenants"], { env: { ...env, TIDEGATE_DATA_DIR: other.path } });
  expect(found.stdout).toContain("acme");
  await other[Symbol.asyncDispose]();

  expect(await gateway.interrupt()).toMatchObject({ code: 0 });
});

test("npx finds the command in a clone", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  // With a cache of its own npm has not seen this clone before.
  const cache = join(directory.path, "npm-cache");
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(own), npm_config_cache: cache };
  const { stdout } = await promisify(execFile)("npx", ["tidegate", "--version"], { cwd, env });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("start takes the variables of commands, and refuses what is none", async () => {
  const env = { TIDEGATE_KEY: "k", TIDEGATE_URL: "u", TIDEGATE_TENANT: "t", TIDEGATE_TENNANT: "t" };
  const { code, stderr } = await runCli(["start"], { cwd: directory.path, env });
  expect(code).toBe(1);
  expect(stderr.match(/TIDEGATE_\w+ is not a variable/g)).toEqual([
    "TIDEGATE_TENNANT is not a variable",
  ]);
});

test("doctor finds a database and a broker in order, and says what a first start will do", async () => {
  await using migrated = await createTestDatabase();
  await using empty = await createEmptyDatabase();
  const broker = await natsUrl();
  const env = {
    ...{ TIDEGATE_OPERATOR_KEY: "tg_op_12345678", TIDEGATE_SECRETS: generateKeyRing(), PORT: "0" },
    NATS_URL: broker.url,
  };
  const whole = await doctor({ ...env, DATABASE_URL: migrated.url });
  expect(whole.findings.filter(({ verdict }) => verdict !== "ok")).toMatchObject([
    { verdict: "warn", what: "gateway" },
  ]);
  expect(whole.code).toBe(0);
  expect(whole.of("database")?.text).toMatch(/^Postgres \d+/);
  expect(whole.of("NATS")?.text).toMatch(/^nats-server \S+ with JetStream$/);
  expect(whole.of("migrations")?.text).toMatch(/^all \d+ are done$/);
  const first = await doctor({ ...env, DATABASE_URL: empty.url });
  await broker.stop();
  expect(first.of("migrations")?.text).toMatch(/^the first start runs all \d+$/);
});

test("doctor names what is wrong, all of it, and fails", async () => {
  const taken = createServer((_, response) => response.end("something else")).listen(
    0,
    "127.0.0.1",
  );
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const { code, stderr, of } = await doctor(
    {
      ...{ TIDEGATE_OPERATOR_KEY: "tg_op_12345678", TIDEGATE_SECRETS: generateKeyRing() },
      ...{ DATABASE_URL: "postgres://127.0.0.1:9/none", NATS_URL: "nats://127.0.0.1:9" },
      ...{ PORT: String(port), TIDEGATE_EGRESS_PROXY: "http://127.0.0.1:9" },
    },
    ...["--url", `http://127.0.0.1:${port}`, "--key", "tg_op_none"],
  );
  taken.close();
  expect(code).toBe(1);
  expect(stderr).toMatch(/\d checks fail/);
  expect(of("database")).toMatchObject({
    verdict: "fail",
    advice: expect.stringMatching(/Postgres running/),
  });
  expect(of("NATS")).toMatchObject({
    verdict: "warn",
    advice: expect.stringMatching(/a second later/),
  });
  expect(of("address")).toMatchObject({ verdict: "fail", text: expect.stringMatching(/taken/) });
  expect(of("egress proxy")).toMatchObject({ verdict: "fail" });
  expect(of("gateway")).toMatchObject({ verdict: "fail" });

  const bad = await doctor({ DATABASE_URL: "nonsense", TIDEGATE_ROLES: "dance" });
  expect(bad.code).toBe(1);
  expect(bad.of("configuration")?.text).toMatch(/DATABASE_URL must be[^]*TIDEGATE_ROLES must be/);
});
