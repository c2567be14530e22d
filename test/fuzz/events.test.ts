/**
 * Goal: what a producer sends is what consumers get, and nothing else. An event is either refused
 * for a reason, or comes out by page, stream and push as the same bytes, in which the tokens of
 * `data` are those that were sent; none of its members can become a block of a stream, a header of
 * a push or another member.
 *
 * Method: append events with hostile members and random `data` in each form that the API takes,
 * read all three ways as bytes, and look at every byte outside of the envelope.
 * `FUZZ_SECONDS=60 npm test -- test/fuzz` runs for longer.
 */
import { once } from "node:events";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { draft, forms, type Draft, type Form, type Result } from "../support/event-forms.ts";
import { deadlineMs, holds, timeoutMs, watchLog } from "../support/fuzz.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { hostileText } from "../support/hostile.ts";
import { startRawReceiver, type RawPush, type RawReceiver } from "../support/raw-http.ts";
import { openSse } from "../support/sse.ts";

const runsPerForm = 25;

/** Events that have to be taken of a form, and how often it is drawn for so many. */
const enough = runsPerForm / 2;
const roundsMax = 4;

/** An event that was taken: its draft, and what the answer says of it. */
type Taken = { readonly draft: Draft; readonly id: string; readonly sequence: string };

const tenant = "acme";
const opened = new AsyncDisposableStack();
const log = watchLog();

let gateway: TestGateway;
let receiver: RawReceiver;
/** Of a push of an ordinary event. */
let pushHeaders: string[];

beforeAll(async () => {
  receiver = opened.use(await startRawReceiver());
  gateway = opened.use(await startTestGateway({ LOG_LEVEL: "debug" }, log.destination));
  await gateway.createTenant(tenant);
  const headers = { "x-own": "own; a=b" };
  const body = { tenant, url: receiver.url, headers, max_in_flight: 100 };
  await succeed(gateway.call("POST", "/endpoints", { body }));
  const appended = await gateway.append(tenant, {});
  const [push] = await receiver.take(appended.map(({ id }) => id));
  pushHeaders = headerNames(push?.head ?? []);
});
afterAll(() => opened.disposeAsync());

test.each(Object.entries(forms))(
  "what is sent as %s is what comes out, or it is refused",
  { timeout: timeoutMs },
  async (_, form) => {
    let takenCount = 0;
    // Most are taken; where a form holds one event, of few runs it may by chance be too few.
    for (let round = 0; round < roundsMax && takenCount <= enough; round += 1) {
      await holds(fc.array(draft, { minLength: 1, maxLength: 6 }), runsPerForm, check);
    }

    async function check(drafts: readonly Draft[]): Promise<void> {
      const cursor = await latestCursor();
      const stream = openStream(cursor);
      try {
        await stream.waitFor((blocks) => blocks.length > 0, deadlineMs);
        const taken = await append(form, unlike(drafts));
        takenCount += taken.length;
        const envelopes = await readPage(form, taken, cursor);
        await stream.waitFor((blocks) => blocks.length > envelopes.length, deadlineMs);
        checkStream(stream.body(), envelopes);
        checkPushes(await receiver.take(taken.map(({ id }) => id)), envelopes);
      } finally {
        stream.cut();
        await once(stream.socket, "close");
      }
    }
    expect(receiver.left()).toBe(0);
    expect(takenCount).toBeGreaterThan(enough);
    expect(log.faults.splice(0)).toEqual([]);
    expect((await gateway.call("GET", "/readyz", { key: null })).status).toBe(200);
  },
);

// Bytes that are no JSON, under whatever media type.
test("what a CloudEvent has in its body comes out of it", { timeout: timeoutMs }, async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    hostileText.map((text) => Buffer.from(text)),
  );
  const types = ["application/octet-stream", "text/plain", "a/b+xml; charset=latin1"];
  const body = fc.tuple(bytes, fc.constantFrom(...types));
  await holds(body, runsPerForm, async ([sent, type]) => {
    keys += 1;
    const answer = await fetch(`${gateway.url}/events?tenant=${tenant}`, {
      method: "POST",
      headers: {
        ...{ "ce-specversion": "1.0", "ce-id": `bytes-${keys}`, "ce-source": "/", "ce-type": "a" },
        ...{ "content-type": type, authorization: `Bearer ${gateway.operatorKey}` },
      },
      body: Buffer.from(sent),
    });
    const { id } = (await answer.json()) as { id: string };
    expect(answer.status).toBe(201);
    const event = await succeed(gateway.call("GET", `/events/${id}`));
    expect(event["datacontenttype"]).toBe(type);
    const { data = "", data_base64: base64 } = event as { data?: string; data_base64?: string };
    const found = base64 === undefined ? Buffer.from(data) : Buffer.from(base64, "base64");
    expect(found.toString("hex")).toBe(Buffer.from(sent).toString("hex"));
  });
});

test(
  "an endpoint's own headers are sent as they are or refused",
  { timeout: timeoutMs },
  async () => {
    const header = fc.tuple(fc.constantFrom("x-a", "X-A!", "authorization"), hostileText);
    await holds(header, runsPerForm, async ([name, value]) => {
      const types = ["header.fuzz"];
      const body = { tenant, url: receiver.url, types, headers: { [name]: value } };
      const { status, json } = await gateway.call("POST", "/endpoints", { body });
      const isPlain =
        /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) && value.length <= 4_096;
      expect(status).toBe(isPlain ? 201 : 422);
      if (status === 422) return;
      const appended = await gateway.append(tenant, { type: "header.fuzz" });
      // One for each endpoint; the other one takes all types.
      const ids = appended.map(({ id }) => id);
      const pushes = [...(await receiver.take(ids)), ...(await receiver.take(ids))];
      const line = `${name.toLowerCase()}: ${value}`;
      expect(pushes.flatMap(({ head }) => head).filter((each) => each === line)).toHaveLength(1);
      for (const { head } of pushes) {
        const own = headerNames(head).filter((each) => !pushHeaders.includes(each));
        expect([[], [name.toLowerCase()]]).toContainEqual(own);
      }
      await succeed(gateway.call("DELETE", `/endpoints/${String(json?.["id"])}`));
    });
  },
);

/** Their keys are those of no other event, so that none is a repetition. */
function unlike(drafts: readonly Draft[]): Draft[] {
  return drafts.map((each) => {
    keys += 1;
    return { ...each, key: `${each.key ?? ""}${keys}` };
  });
}
let keys = 0;

/** Those that were taken, which are those that should be. */
async function append(form: Form, drafts: readonly Draft[]): Promise<Taken[]> {
  const answer = await gateway.call("POST", `/events?tenant=${tenant}`, form.write(drafts));
  const { status, text } = answer;
  const results = status < 300 ? form.results(text) : [{ status }];
  // The head of a request is bounded too, whatever is in it.
  if (status === 431) return [];
  return results.flatMap(({ status, id = "", sequence = "" }: Result, at) => {
    const draft = drafts[at];
    if (draft === undefined) throw new Error("more results than events");
    const isTaken = form.isTakeable(draft) ?? status === 201;
    expect([draft, status, text]).toEqual([draft, isTaken ? 201 : 422, text]);
    return isTaken ? [{ draft, id, sequence }] : [];
  });
}

/** The envelopes, of which every byte is as it must be. */
async function readPage(form: Form, taken: readonly Taken[], cursor: string): Promise<string[]> {
  const path = `/events?tenant=${tenant}&limit=1000&cursor=${cursor}`;
  const { text: page, json } = await gateway.call("GET", path);
  const read = json as { events: { time: string }[]; cursor: string };
  expect(read.events).toHaveLength(taken.length);
  const envelopes = taken.map(({ draft, id, sequence }, at) => {
    const { time = "" } = read.events[at] ?? {};
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return form.envelope(draft, { tenant, id, time, sequence });
  });
  expect(page).toBe(
    `{"events":[${envelopes.join(",")}],"cursor":"${read.cursor}","has_more":false}`,
  );
  return envelopes;
}

async function latestCursor(): Promise<string> {
  const page = await succeed(gateway.call("GET", `/events?tenant=${tenant}&from=latest`));
  return String(page["cursor"]);
}

function openStream(cursor: string) {
  const port = Number(new URL(gateway.url).port);
  const target = `/events/stream?tenant=${tenant}&cursor=${cursor}`;
  return openSse(port, target, gateway.operatorKey);
}

/** Comments that show it is alive, the first at once, and the events; not one byte more. */
function checkStream(body: string, envelopes: readonly string[]): void {
  const [start = ""] = /^retry: \d+\n:\n\n/.exec(body) ?? [];
  expect(start).not.toBe("");
  let at = start.length;
  for (const envelope of envelopes) {
    while (body.startsWith(":\n\n", at)) at += 3;
    const data = `data: ${envelope}\n`;
    expect(body.slice(at, at + data.length)).toBe(data);
    at += data.length;
    const id = /id: [\w-]+\n\n/y;
    id.lastIndex = at;
    expect(id.test(body)).toBe(true);
    at = id.lastIndex;
  }
  expect(body.slice(at).replaceAll(":\n\n", "")).toBe("");
}

function checkPushes(pushes: readonly RawPush[], envelopes: readonly string[]): void {
  expect(pushes.map(({ body }) => body.toString())).toEqual(envelopes);
  for (const { head } of pushes) {
    expect(head[0]).toBe("POST /hook HTTP/1.1");
    expect(headerNames(head)).toEqual(pushHeaders);
  }
}

/** In order. A line that is no header is one that nobody expects. */
function headerNames(head: readonly string[]): string[] {
  return head.slice(1).map((line) => /^([\w!-]+): [\t\x20-\x7e]*$/.exec(line)?.[1] ?? line);
}
