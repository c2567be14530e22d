/** Each of examples/ is run as it stands, against a whole gateway. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { EventSource } from "eventsource";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answers, createExamples, freePort, startProgram } from "../support/examples.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startProxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

const deadlineMs = 20_000;

let gateway: TestGateway;
let examples: Awaited<ReturnType<typeof createExamples>>;

beforeAll(async () => {
  [gateway, examples] = await Promise.all([startTestGateway(), createExamples()]);
});

afterAll(async () => {
  await gateway?.stop();
  await examples?.[Symbol.asyncDispose]();
});

function start(program: string, args: string[], env: Record<string, string>) {
  return startProgram(program, args, { cwd: examples.path, env });
}

test("the receiver takes what the gateway pushes, and nothing that is not signed", async () => {
  const text = await readFile(join(examples.path, "receiver.js"), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(16);
  await gateway.createTenant("receiver");
  const PORT = await freePort();
  const url = `http://127.0.0.1:${PORT}/hook`;
  const body = { tenant: "receiver", url };
  const { id, secret } = await succeed(gateway.call("POST", "/endpoints", { body }));
  await using receiver = start(process.execPath, ["receiver.js"], { PORT, SECRET: String(secret) });
  expect((await answers(url)).status).toBe(400);
  await gateway.append("receiver", { data: { amount: 4200 } });
  await receiver.says(/^1 order\.created \{ amount: 4200 \}$/m);
  await waitUntil(
    async () =>
      Number((await succeed(gateway.call("GET", `/endpoints/${String(id)}`)))["position"]) === 1,
    { deadlineMs },
  );
});

test("the inbox counts every event once: pushed, missed while it was down, pushed again", async () => {
  await using database = await createTestDatabase();
  const sql = postgres(database.url, { max: 1 });
  await gateway.createTenant("inbox");
  const KEY = await gateway.createKey("inbox", ["receive"]);
  const PORT = await freePort();
  const body = { tenant: "inbox", url: `http://127.0.0.1:${PORT}/hook` };
  const { id, secret } = await succeed(gateway.call("POST", "/endpoints", { body }));
  const ENDPOINT = String(id);
  const env = { URL: gateway.url, KEY, PORT, ENDPOINT, SECRET: String(secret) };
  const startInbox = () =>
    start(process.execPath, ["inbox.js"], { ...env, DATABASE_URL: database.url });
  let paid = 0;
  const pay = async (amount: number) => {
    const [result] = await gateway.append("inbox", { data: { customer: "ann", amount } });
    paid += amount;
    return Number(result?.sequence);
  };
  /** On a busy machine a page may be quicker than a push. */
  const payUntilPushed = async (inbox: ReturnType<typeof start>) => {
    for (let by = ""; by !== "push";) {
      const sequence = await pay(1);
      by = (await inbox.says(new RegExp(`^${sequence} (push|pull) ann 1$`, "m")))[1] ?? "";
    }
  };
  const tell = (action: "poll" | "resume") =>
    succeed(gateway.call("POST", `/endpoints/${ENDPOINT}/${action}`, { body: {} }));
  try {
    {
      await using inbox = startInbox();
      await answers(body.url);
      await payUntilPushed(inbox);
    }
    // Killed, maybe before its commit. What comes now is not pushed while it is down.
    await tell("poll");
    const missed = [await pay(10), await pay(20), await pay(40)];
    await using inbox = startInbox();
    for (const sequence of missed) await inbox.says(new RegExp(`^${sequence} pull ann`, "m"));
    await tell("resume");
    await payUntilPushed(inbox);
    await waitUntil(
      async () => {
        const [row] = await sql`select paid from totals where customer = 'ann'`;
        return Number(row?.["paid"]) >= paid;
      },
      { deadlineMs },
    );
    expect(await sql`select * from totals`).toEqual([{ customer: "ann", paid: String(paid) }]);
  } finally {
    await sql.end();
  }
});

test("the poller prints every event once and in its bytes, over restarts", async () => {
  await gateway.createTenant("poller");
  const KEY = await gateway.createKey("poller", ["read"]);
  const env = { URL: gateway.url, KEY, CURSOR_FILE: "poller-cursor", LIMIT: "3", WAIT: "2" };
  const hard = '{"text":"} , {\\"specversion\\" \\\\","n":[1.0,{"deep":[{}]}],"wörter":"ß"}';
  const send = (data: string) => {
    const body = `{"tenant":"poller","type":"a.b","data":${data}}`;
    return succeed(gateway.call("POST", "/events", { body }));
  };
  const sent = ["1", hard, "2", hard, "3", "[]", "4.0"];
  for (const data of sent) await send(data);
  const printed: string[] = [];
  for (const more of [undefined, "5", hard]) {
    if (more !== undefined) sent.push(more);
    if (more !== undefined) await send(more);
    await using poller = start("sh", ["poller.sh"], env);
    const wanted = sent.length - printed.length;
    await waitUntil(() => poller.lines().length >= wanted, { deadlineMs, what: "events" });
    // The cursor is saved after the page was printed.
    const cursor = join(examples.path, "poller-cursor");
    await waitUntil(
      async () => {
        const at = (await readFile(cursor, "utf8").catch(() => "")).trim();
        if (at === "") return false;
        const rest = await gateway.call("GET", `/events?tenant=poller&cursor=${at}`);
        return rest.text.startsWith('{"events":[],');
      },
      { deadlineMs },
    );
    expect(await poller.terminate()).toBe(0);
    printed.push(...poller.lines());
  }
  const data = printed.map((line) => line.slice(line.indexOf('"data":') + 7, -1));
  expect(data).toEqual(sent);
});

test("the poller waits as long as it is told, and gives up where that would not help", async () => {
  const asked: string[] = [];
  const replies: [status: number, headers: Record<string, string>, body: string][] = [
    [429, { "retry-after": "1" }, "{}"],
    [503, {}, "{}"],
    [410, {}, '{"status":410,"lost":7,"oldest_cursor":"OLDEST","latest_cursor":"LATEST"}'],
    [200, { "Tidegate-Cursor": "NEXT" }, '[{"id":"evt_1","data":{}}]'],
    [403, {}, '{"detail":"no longer"}'],
  ];
  const times: number[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    times.push(performance.now());
    const [status, headers, body] = replies[asked.length - 1] ?? [500, {}, ""];
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { URL, KEY: "k", CURSOR_FILE: "scripted-cursor", TYPES: "a.*,b" };
  await using poller = start("sh", ["poller.sh"], { ...env, ON_EXPIRED: "skip" });
  expect(await poller.exited).toBe(1);
  server.close();
  expect(poller.stdout()).toBe('{"id":"evt_1","data":{}}\n');
  await poller.says(/poller: 403 \{"detail":"no longer"\}/);
  const query = (at: number) => new URLSearchParams(asked[at]?.split("?")[1]);
  expect(asked).toHaveLength(replies.length);
  expect(query(0).get("from")).toBe("earliest");
  expect(query(0).get("types")).toBe("a.*,b");
  expect(query(3).get("cursor")).toBe("OLDEST");
  expect(query(4).get("cursor")).toBe("NEXT");
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(900);
  const saved = await readFile(join(examples.path, "scripted-cursor"), "utf8");
  expect(saved).toBe("NEXT\n");
});

test("the page shows events as they come, and goes on after breaks and with new tickets", async () => {
  await gateway.createTenant("page");
  const KEY = await gateway.createKey("page", ["read"]);
  const PORT = await freePort();
  await using network = await startProxy(gateway.url);
  const base = `http://127.0.0.1:${PORT}/`;
  const env = { URL: new URL(network.url).origin, KEY, PORT };
  await using server = start(process.execPath, ["browser.js"], env);
  const page = await (await answers(base)).text();
  const script = /<script>([^]*)<\/script>/.exec(page)?.[1] ?? "";
  const shown: string[] = [];
  const state = { textContent: "" };
  const elements: Record<string, object> = {
    "#state": state,
    "#events": { prepend: (item: { textContent: string }) => shown.push(item.textContent) },
  };
  const document = {
    querySelector: (name: string) => elements[name],
    createElement: () => ({ textContent: "" }),
  };
  const sources: EventSource[] = [];
  class PageEventSource extends EventSource {
    constructor(url: string) {
      super(url);
      sources.push(this);
    }
  }
  const pageFetch = (path: string, init: object) => fetch(new URL(path, base), init);
  // The page's own script, with what of a browser it uses.
  // oxlint-disable-next-line no-implied-eval -- it is what the test is about
  const run = new Function("EventSource", "document", "fetch", script);
  const breakOff = async (meanwhile: () => Promise<unknown>) => {
    await network.cut();
    await waitUntil(() => state.textContent !== "live", { deadlineMs, what: "the break" });
    await meanwhile();
    await network.restore();
  };
  run(PageEventSource, document, pageFetch);
  try {
    await waitUntil(() => state.textContent === "live", { deadlineMs, what: "live" });
    await gateway.append("page", { data: { n: 1 } });
    await waitUntil(() => shown.length === 1, { deadlineMs, what: "an event" });
    await breakOff(() => gateway.append("page", { data: "<b>" }));
    await waitUntil(() => shown.length === 2, { deadlineMs, what: "what was missed" });
    // By itself, with the ticket that it had.
    expect(sources).toHaveLength(1);

    await breakOff(async () => {
      const sql = postgres(gateway.databaseUrl, { max: 1 });
      await sql`delete from tickets`;
      await sql.end();
      await gateway.append("page", { data: 3 });
    });
    await waitUntil(() => shown.length === 3, { deadlineMs, what: "what was missed again" });
    expect(sources).toHaveLength(2);
    expect(shown).toEqual([
      '#1 order.created {"n":1}',
      '#2 order.created "<b>"',
      "#3 order.created 3",
    ]);
    expect(page + server.stdout() + sources.map(({ url }) => url).join()).not.toContain(KEY);
  } finally {
    for (const source of sources) source.close();
  }
});
