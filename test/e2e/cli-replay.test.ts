/** `tidegate replay` and `missed`: closing the holes that a receiver has left, from the terminal. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines, runCli, startCli } from "../support/cli.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** Each command is a process, which takes a second and more to start on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const deadlineMs = 20_000;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

function environment(tenant: string): Record<string, string> {
  const { url, operatorKey } = gateway;
  return { TIDEGATE_URL: url, TIDEGATE_KEY: operatorKey, TIDEGATE_TENANT: tenant };
}

function run(tenant: string, ...args: string[]) {
  return runCli(args, { env: environment(tenant) });
}

async function createEndpoint(tenant: string, url: string, settings: object = {}): Promise<string> {
  await gateway.createTenant(tenant);
  const body = { tenant, url, ...settings };
  return String((await succeed(gateway.call("POST", "/endpoints", { body })))["id"]);
}

/** Waits until so many of an endpoint's deliveries are dead. */
async function dead(id: string, count: number): Promise<void> {
  await waitUntil(
    async () => (await succeed(gateway.call("GET", `/endpoints/${id}`)))["dead"] === count,
    { deadlineMs, what: `${count} dead letters` },
  );
}

test("one delivery, and all that are dead, are pushed again, and it waits for the end", async () => {
  await using receiver = await startReceiver({ kind: "answer", status: 400 });
  const id = await createEndpoint("replayed", receiver.url, { retry_schedule: [] });
  await gateway.append("replayed", { data: 1 }, { data: 2 }, { data: 3 });
  await dead(id, 3);
  const refused = await run("replayed", "replay", "--endpoint", id, "--json");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`npx tidegate deliveries --endpoint ${id}`);
  expect(jsonLines(refused.stdout)).toMatchObject([{ status: "completed", sent: 0, failed: 3 }]);

  receiver.behave({ kind: "answer" });
  const list = await run("replayed", "deliveries", "--status", "dead", "--json");
  const [one] = jsonLines<{ id: string }>(list.stdout);
  const single = await run("replayed", "replay", one?.id ?? "");
  expect(single).toMatchObject({ code: 0, stderr: "" });
  expect(single.stdout).toMatch(/^rpl_\S+ is completed: 1 sent, 0 failed\n$/);
  const all = await run(
    "replayed",
    "replay",
    "--endpoint",
    id,
    "--status",
    "dead",
    "--since",
    "1h",
  );
  expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining("2 sent, 0 failed") });
  expect(receiver.requests.at(-1)?.headers["tidegate-replay"]).toMatch(/^rpl_/);
  const replays = await run("replayed", "replay", "--list");
  expect(replays.stdout.match(/^rpl_\S+ +completed/gm)).toHaveLength(3);
});

test("Ctrl-C only stops waiting, and says how to cancel", async () => {
  await using receiver = await startReceiver({ kind: "answer", status: 400 });
  const id = await createEndpoint("interrupted", receiver.url, { retry_schedule: [] });
  await gateway.append("interrupted", { data: 1 });
  await dead(id, 1);
  await run("interrupted", "endpoints", "pause", id);
  using waiting = startCli(["replay", "--endpoint", id], { env: environment("interrupted") });
  const replays = () => run("interrupted", "replay", "--list", "--json");
  let jobs: { id: string; status: string }[] = [];
  while (jobs.length === 0) jobs = jsonLines((await replays()).stdout);
  const { code, stderr } = await waiting.interrupt();
  const job = jobs[0]?.id ?? "";
  expect(code).toBe(130);
  expect(stderr).toContain(`npx tidegate replay --cancel ${job}`);
  expect(await run("interrupted", "replay", "--cancel", job)).toMatchObject({ code: 0 });
  expect(jsonLines((await replays()).stdout)).toMatchObject([{ id: job, status: "cancelled" }]);
  const followed = await run("interrupted", "replay", job);
  expect(followed).toMatchObject({ code: 1, stdout: `${job} is cancelled: 0 sent, 0 failed\n` });
});

test("missed walks what was not received in its bytes, and --receipt ends it", async () => {
  await using receiver = await startReceiver({ kind: "answer", status: 400 });
  const id = await createEndpoint("missing", receiver.url, { retry_schedule: [] });
  for (const data of ["1.0", "12345678901234567890", "3"]) {
    const body = `{"tenant":"missing","type":"order.created","data":${data}}`;
    await gateway.call("POST", "/events", { body });
  }
  await dead(id, 3);
  const lines = await run("missing", "missed", id, "--json");
  expect(lines).toMatchObject({ code: 0, stderr: "" });
  const data = lines.stdout.matchAll(/"data":(.*)\}\n/g);
  expect(Array.from(data, ([, text]) => text)).toEqual(["1.0", "12345678901234567890", "3"]);
  const two = await run("missing", "missed", id, "--receipt", "--limit", "2");
  expect(two.stdout).toMatch(/#1 {2}order\.created {2}1\.0\n.*#2 {2}/);
  expect(two.stderr).toBe("2 missed, and acknowledged\n");
  const rest = await run("missing", "missed", id, "--receipt", "--json");
  expect(jsonLines(rest.stdout)).toMatchObject([{ data: 3 }]);
  expect((await run("missing", "missed", id)).stderr).toBe("0 missed\n");
});

test("what is to be replayed has to be said", async () => {
  await gateway.createTenant("said");
  for (const args of [
    [],
    ["dlv_1", "--endpoint", "ep_1"],
    ["--endpoint", "ep_1", "--status", "x"],
  ]) {
    expect(await run("said", "replay", ...args)).toMatchObject({ code: 2, stdout: "" });
  }
});
