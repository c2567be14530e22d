/** The command line as real processes with pipes, against a whole gateway. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bin, jsonLines, runCli, startCli, type CliOptions } from "../support/cli.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startReceiver } from "../support/receiver.ts";

/** Each command is a process, which takes a second and more to start on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

/** Begins all that colours a terminal. */
const escape = "\u001B";

function environment(tenant?: string): Record<string, string> {
  const { url, operatorKey } = gateway;
  return {
    TIDEGATE_URL: url,
    TIDEGATE_KEY: operatorKey,
    ...(tenant !== undefined && { TIDEGATE_TENANT: tenant }),
  };
}

async function run(tenant: string | undefined, args: string[], options: CliOptions = {}) {
  return runCli(args, { ...options, env: { ...environment(tenant), ...options.env } });
}

test("before there is a tenant it is told how to make one", async () => {
  const { code, stdout, stderr } = await run(undefined, ["tail"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("npx tidegate tenants create acme");
});

test("one event is sent in its very bytes, and its id is printed", async () => {
  await gateway.createTenant("bytes");
  const data = '{"price": 1.0,"big":12345678901234567890,"tiny":1e-7,"twice":1,"twice":2}';
  const sent = await run("bytes", ["send", "--type", "order.created", "--data", data]);
  expect(sent).toMatchObject({ code: 0, stderr: "" });
  expect(sent.stdout).toMatch(/^evt_\S+\n$/);
  const tail = await run("bytes", ["tail", "--from", "earliest", "--limit", "1", "--json"]);
  expect(tail.stdout).toContain(`"data":${data.replace(": ", ":")}}\n`);
  expect(jsonLines<{ id: string }>(tail.stdout)[0]?.id).toBe(sent.stdout.trim());
});

test("lines of a pipe are appended in order; what is refused is named by its line", async () => {
  await gateway.createTenant("lines");
  const lines = [
    '{"type":"a.b","data":{"n":1.0},"key":"k1"}',
    "nonsense",
    '{"type":"not a type","data":1}',
    '{"type":"a.c","data":[1e21,{"data":3}],"subject":"s"}',
    '{"type":"a.b","data":{"n":1.0},"key":"k1"}',
  ];
  const { code, stdout, stderr } = await run("lines", ["send", "--json"], {
    input: `${lines.join("\n")}\n`,
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^line 2: it is not JSON/m);
  expect(stderr).toMatch(/^line 3: .*422 invalid/m);
  expect(stderr).toContain("2 appended, 1 already there, 2 refused");
  expect(jsonLines(stdout)).toMatchObject([
    { line: 1, sequence: "0".repeat(19) + "1", duplicate: false },
    { line: 4, sequence: "0".repeat(19) + "2", duplicate: false },
    { line: 5, sequence: "0".repeat(19) + "1", duplicate: true },
  ]);
  const page = await gateway.call("GET", "/events?tenant=lines");
  expect(page.text).toContain('"data":{"n":1.0}}');
  expect(page.text).toContain('"subject":"s"');
  expect(page.text).toContain('"data":[1e21,{"data":3}]}');
});

test("ten thousand lines come through whole and in order, and tail gives them again", async () => {
  await gateway.createTenant("many");
  const input = Array.from({ length: 10_000 }, (_, n) => `{"n":${n}.0}\n`).join("");
  const sent = await run("many", ["send", "--type", "t.n"], { input });
  expect(sent).toMatchObject({ code: 0, stdout: "" });
  expect(sent.stderr).toMatch(/^10,000 appended in /);
  const tail = await run("many", ["tail", "--from", "earliest", "--json", "--limit", "10000"]);
  expect(tail.code).toBe(0);
  const data = tail.stdout.matchAll(/"data":(.*)\}\n/g);
  expect(Array.from(data, ([, text]) => `${text}\n`).join("")).toBe(input);
});

test("--rate paces what is sent", async () => {
  await gateway.createTenant("paced");
  const startedAt = performance.now();
  const args = ["send", "--type", "t.n", "--data", "{}", "--repeat", "21", "--rate", "20"];
  expect(await run("paced", args)).toMatchObject({ code: 0 });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
});

test("tail follows live by types and subjects, without colours, and Ctrl-C tells the cursor", async () => {
  await gateway.createTenant("live");
  await gateway.append("live", { data: "before" });
  using tail = startCli(["tail", "--types", "order.*", "--subjects", "a,b", "--json"], {
    env: environment("live"),
  });
  using plain = startCli(["tail", "--types", "order.*"], { env: environment("live") });
  await plain.says(/Following live/);
  // Both have begun when they show an event of theirs.
  const wanted = { type: "order.created", subject: "a,b" };
  const others = [
    { type: "invoice.paid", subject: "a,b" },
    { type: "order.created", subject: "a" },
  ];
  for (let n = 1; tail.lines().length < 1; n += 1) {
    await gateway.append("live", ...others, { ...wanted, data: { n } });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const line of tail.lines()) expect(JSON.parse(line)).toMatchObject(wanted);
  await plain.says(/order\.created {2}a,b {2}\{"n":\d+\}/);
  expect(await tail.interrupt()).toMatchObject({ code: 0, stderr: "" });
  const { code, stdout, stderr } = await plain.interrupt();
  expect(code).toBe(0);
  expect(stdout + stderr).not.toContain(escape);
  const cursor = /--cursor (\S+)/.exec(stderr)?.[1] ?? "";
  await gateway.append("live", { data: "after" });
  const next = await run("live", ["tail", "--cursor", cursor, "--json", "--limit", "1"]);
  expect(jsonLines<{ data: unknown }>(next.stdout)[0]?.data).toBe("after");
});

test("a reader that goes away ends tail without a word", async () => {
  await gateway.createTenant("piped");
  await gateway.append("piped", ...Array.from({ length: 500 }, (_, n) => ({ data: { n } })));
  const command = `"${process.execPath}" "${bin}" tail --from earliest --json | head -n 2`;
  const shell = spawn("bash", ["-c", `${command}; echo "$\{PIPESTATUS[0]}"`], {
    env: { PATH: process.env["PATH"], ...environment("piped") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  shell.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  shell.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  await once(shell, "close");
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n")).toHaveLength(3);
  expect(stdout).toMatch(/\n141\n$/);
});

test("endpoints are made, shown, tested, stopped and removed", async () => {
  await gateway.createTenant("hooks");
  await using receiver = await startReceiver();
  const create = ["endpoints", "create", receiver.url, "--types", "order.*,a.b", "--json"];
  const created = await run("hooks", [...create, "--settings", '{"timeout_ms":2000}']);
  const [endpoint] = jsonLines<{ id: string; secret: string }>(created.stdout);
  if (endpoint === undefined) throw new Error(created.stderr);
  const { id, secret } = endpoint;
  expect(endpoint).toMatchObject({ types: ["order.*", "a.b"], timeout_ms: 2_000 });
  expect((await run("hooks", ["endpoints", "secret", id])).stdout).toBe(`${secret}\n`);
  expect((await run("hooks", ["endpoints"])).stdout).toMatch(new RegExp(`^${id} +active`, "m"));

  expect((await run("hooks", ["endpoints", "test", id])).stdout).toMatch(/^delivered: 200 in /);
  receiver.behave({ kind: "answer", status: 500, body: "out of paper" });
  const refused = await run("hooks", ["endpoints", "test", id]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/status 500[^]*out of paper/);

  await run("hooks", ["endpoints", "update", id, '{"description":"the printer"}']);
  await run("hooks", ["endpoints", "pause", id, "--reason", "no paper"]);
  const shown = await run("hooks", ["endpoints", "show", id, "--json"]);
  expect(jsonLines(shown.stdout)).toMatchObject([
    { description: "the printer", status: "paused", status_reason: "no paper" },
  ]);
  const resumed = await run("hooks", ["endpoints", "resume", id, "--from", "latest"]);
  expect(resumed.stdout).toMatch(/^status +active$/m);
  const polling = await run("hooks", ["endpoints", "poll", id, "--json"]);
  expect(jsonLines(polling.stdout)).toMatchObject([{ status: "polling" }]);
  const rotated = await run("hooks", [
    "endpoints",
    "rotate-secret",
    id,
    "--overlap",
    "1h",
    "--json",
  ]);
  expect(jsonLines<{ secret: string }>(rotated.stdout)[0]?.secret).not.toBe(secret);
  expect(await run("hooks", ["endpoints", "delete", id])).toMatchObject({ code: 0 });
  expect((await run("hooks", ["endpoints", "show", id])).code).toBe(1);
});

test("deliveries are listed by status and shown with what the receiver said", async () => {
  await gateway.createTenant("told");
  await using receiver = await startReceiver({ kind: "answer", status: 500, body: "no\npaper" });
  await run("told", ["endpoints", "create", receiver.url, "--settings", '{"retry_schedule":[]}']);
  await gateway.append("told", {});
  await receiver.received(1, 20_000);
  const list = ["deliveries", "--status", "dead", "--since", "1h", "--json"];
  let found: { id: string; attempts: number }[] = [];
  while (found.length === 0) found = jsonLines((await run("told", list)).stdout);
  expect(found).toMatchObject([{ status: "dead", attempts: 1, last_status_code: 500 }]);
  const shown = await run("told", ["deliveries", "show", found[0]?.id ?? ""]);
  expect(shown.stdout).toMatch(/attempt 1 \(event\) at .*: http: status 500/);
  expect(shown.stdout).toContain("  | no\n  | paper\n");
});

test("keys are made with scopes, listed and revoked; the tenant's own need not name it", async () => {
  await gateway.createTenant("keyed");
  const create = ["keys", "create", "--scopes", "read,append", "--expires", "90d", "--json"];
  const created = await run("keyed", create);
  const [made] = jsonLines<{ id: string; key: string }>(created.stdout);
  if (made === undefined) throw new Error(created.stderr);
  const own = { TIDEGATE_URL: gateway.url, TIDEGATE_KEY: made.key };
  const sent = await runCli(["send", "--type", "a.b", "--data", "1"], { env: own });
  expect(sent).toMatchObject({ code: 0, stderr: "" });
  const read = await runCli(["tail", "--from", "earliest", "-n", "1", "--json"], { env: own });
  expect(jsonLines(read.stdout)).toMatchObject([{ tenant: "keyed", data: 1 }]);
  const forbidden = await runCli(["endpoints"], { env: own });
  expect(forbidden).toMatchObject({ code: 1 });
  expect(forbidden.stderr).toContain("keys create --scopes manage");

  expect((await run("keyed", ["keys", "list"])).stdout).toContain(made.id);
  expect(await run("keyed", ["keys", "revoke", made.id])).toMatchObject({ code: 0 });
  expect((await run("keyed", ["keys", "list"])).stdout).not.toContain(made.id);
});

test("what is wrong is said in words, with an exit code by its kind", async () => {
  const unreachable = { TIDEGATE_URL: "http://127.0.0.1:9", TIDEGATE_KEY: "tg_op_none" };
  const cases: [code: number, args: string[], says: RegExp, env?: Record<string, string>][] = [
    [2, ["nonsense"], /unknown command 'nonsense'/],
    [2, ["tail", "--nonsense"], /unknown option '--nonsense'/],
    [2, ["tail", "--from", "yesterday"], /must be a time like/],
    [2, ["send", "--data", "1"], /--type/],
    [2, ["send", "--type", "a.b", "--data", "{a:1}"], /must be JSON[^]*single quotes/],
    [2, ["send", "none.ndjson"], /cannot be read \(ENOENT\)/],
    [2, ["tail"], /several tenants[^]*There are /],
    [1, ["tail", "--tenant", "nobody"], /tenants create/],
    [1, ["deliveries", "show", "dlv_none"], /404 not-found/],
    [3, ["tail"], /cannot be reached[^]*npx tidegate start/, unreachable],
    [3, ["tail"], /401 unauthorized[^]*TIDEGATE_KEY/, { TIDEGATE_KEY: "tg_op_wrong_one" }],
    [2, ["tail"], /No key is given/, { TIDEGATE_KEY: "" }],
  ];
  const runCase = async ([code, args, says, env]: (typeof cases)[number]) => {
    const result = await run(undefined, args, env === undefined ? {} : { env });
    expect({ args, ...result }).toMatchObject({ args, code, stdout: "" });
    expect(result.stderr).toMatch(says);
    expect(result.stderr).not.toContain(escape);
    expect(result.stderr).not.toContain("    at ");
  };
  await Promise.all(cases.map(runCase));
});

test("help tells of every command and shows examples; the exit codes are in it", async () => {
  const { code, stdout } = await runCli(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("Exit codes: 0 done");
  const names = Array.from(stdout.matchAll(/^ {2}([a-z]+) .*$/gm), ([, name]) => name ?? "");
  expect(names).toEqual(expect.arrayContaining(["send", "tail", "endpoints"]));
  const ask = async (name: string) => {
    const help = await runCli([name, "--help"]);
    expect({ name, code: help.code }).toEqual({ name, code: 0 });
    expect(help.stdout).toContain("\nExamples:\n  npx tidegate");
  };
  await Promise.all(names.filter((name) => name !== "help").map(ask));
});
