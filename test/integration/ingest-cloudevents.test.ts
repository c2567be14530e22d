/**
 * CloudEvents as the producers of others send them: the `cloudevents` package is the client, and
 * reads back what the gateway hands out.
 */
import { CloudEvent, HTTP, type CloudEventV1, type Message } from "cloudevents";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAnswer, startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { jsonTokens, spread, whiteSpace } from "../support/json-tokens.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.createTenant("acme");
  await gateway.createTenant("globex");
});

afterAll(() => gateway.stop());

const said = {
  source: "https://example.com/shop?q=1#top",
  type: "order.created",
  subject: "order_1042",
  time: "2026-01-02T03:04:05.678Z",
  dataschema: "https://example.com/order.json",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  partitionkey: "acme",
} as const;

let count = 0;

/** A unique one. */
function newEvent(more: Partial<CloudEventV1<unknown>> = {}): CloudEvent<unknown> {
  count += 1;
  return new CloudEvent({ id: `ce-${count}`, ...said, data: { amount: 4_200 }, ...more });
}

function send(message: Message, query = "?tenant=acme", more: Record<string, string> = {}) {
  const headers = { authorization: `Bearer ${gateway.operatorKey}`, ...more };
  return fetch(`${gateway.url}/events${query}`, {
    method: "POST",
    headers: { ...headers, ...(message.headers as Record<string, string>) },
    ...(message.body !== undefined && { body: message.body as string }),
  });
}

async function textOf(id: unknown): Promise<string> {
  return (await gateway.call("GET", `/events/${String(id)}`)).text;
}

/** What a consumer that uses the package makes of an event. */
async function received(id: unknown): Promise<CloudEventV1<unknown>> {
  const accept = { accept: "application/cloudevents+json" };
  const { headers, text } = await gateway.call("GET", `/events/${String(id)}`, { headers: accept });
  const event = HTTP.toEvent({ headers: Object.fromEntries(headers), body: text });
  return (Array.isArray(event) ? event[0] : event) as CloudEventV1<unknown>;
}

async function accepted(answer: Promise<Response>): Promise<Record<string, unknown>> {
  return succeed(readAnswer(await answer));
}

describe.each([
  ["structured", HTTP.structured],
  ["binary", HTTP.binary],
] as const)("the package's %s mode", (_, serialize) => {
  test("brings an event with all its attributes", async () => {
    const event = newEvent({ datacontenttype: "application/json" });
    const { id, tenant, sequence } = await accepted(send(serialize(event)));
    const seen = await received(id);
    expect(seen).toMatchObject({ ...said, dataversion: "1", tenant, sequence });
    expect(seen).toMatchObject({ specversion: "1.0", datacontenttype: "application/json" });
    expect(seen.data).toEqual({ amount: 4_200 });
  });

  test("makes the id the key", async () => {
    const event = newEvent();
    const first = await accepted(send(serialize(event)));
    const again = await send(serialize(event), undefined, { "idempotency-key": event.id });
    expect([again.status, await again.json()]).toEqual([200, { ...first, duplicate: true }]);
    const other = await send(serialize(event.cloneWith({ data: 1 })));
    expect((await readAnswer(other)).slug).toBe("idempotency-conflict");
    const twoKeys = await send(serialize(event), undefined, { "idempotency-key": "other" });
    expect((await readAnswer(twoKeys)).slug).toBe("invalid-header");
  });

  test("can name the tenant, but not another one than the query", async () => {
    const named = newEvent({ tenant: "globex" });
    expect(await accepted(send(serialize(named), ""))).toMatchObject({ tenant: "globex" });
    const twice = await readAnswer(await send(serialize(newEvent({ tenant: "globex" }))));
    expect(twice.slug).toBe("invalid-parameter");
    expect((await readAnswer(await send(serialize(newEvent()), ""))).slug).toBe("tenant-required");
  });

  test("brings an event without data", async () => {
    const { id } = await accepted(send(serialize(newEvent({ data: undefined }))));
    expect(JSON.parse(await textOf(id))).not.toHaveProperty("data");
    expect((await received(id)).data).toBeUndefined();
  });

  test("cannot bring a sequence", async () => {
    const answer = await readAnswer(await send(serialize(newEvent({ sequence: "1" }))));
    expect([answer.slug, answer.json?.["errors"]]).toMatchObject([
      "invalid",
      [{ pointer: "/sequence" }],
    ]);
  });
});

describe("the structured mode", () => {
  const structured = { "content-type": "application/cloudevents+json; charset=utf-8" };
  const base = { specversion: "1.0", id: "s", source: "/", type: "a.b" };

  test("keeps extensions of every type in the order given, and what is null out", async () => {
    const body = JSON.stringify({
      zebra: -2147483648,
      ...base,
      id: "ordered",
      subject: null,
      constructor: true,
      dataversion: "7",
      alpha: 'a "quoted" \\ é😀',
      dataschema: "urn:x",
      gone: null,
    });
    const { id, sequence } = await accepted(send({ headers: structured, body }));
    const text = await textOf(id);
    expect(text.slice(text.indexOf('"datacontenttype"'))).toBe(
      '"datacontenttype":"application/json","dataversion":"7","tenant":"acme","zebra":-2147483648,' +
        '"constructor":true,"alpha":"a \\"quoted\\" \\\\ é😀","dataschema":"urn:x",' +
        `"sequence":"${String(sequence)}"}`,
    );
  });

  test("keeps other bytes than JSON in base64", async () => {
    const bytes = Buffer.from([0, 255, 1, 254]);
    const body = JSON.stringify({
      ...base,
      id: "bytes",
      datacontenttype: "image/png",
      data: null,
      data_base64: bytes.toString("base64"),
    });
    const { id } = await accepted(send({ headers: structured, body }));
    const envelope = JSON.parse(await textOf(id));
    expect(envelope).toMatchObject({ datacontenttype: "image/png", data_base64: "AP8B/g==" });
    expect(envelope).not.toHaveProperty("data");
    expect(await received(id)).toMatchObject({ datacontenttype: "image/png" });
  });

  test("tells what is wrong with each attribute at once", async () => {
    const body = JSON.stringify({ ...base, id: "", time: "now", Upper: 1, float: 1.5, obj: {} });
    const { slug, json } = await readAnswer(await send({ headers: structured, body }));
    const errors = json?.["errors"] as { pointer: string }[];
    expect(slug).toBe("invalid");
    expect(errors.map(({ pointer }) => pointer)).toEqual([
      ...["/id", "/time", "/Upper", "/float", "/obj"],
    ]);
  });

  test("refuses more than a MiB of bytes", async () => {
    const data_base64 = Buffer.alloc((1 << 20) + 1).toString("base64");
    const body = JSON.stringify({ ...base, id: "large", data_base64 });
    expect((await send({ headers: structured, body })).status).toBe(413);
  });

  test("keeps the tokens of data", async () => {
    await expectTokens(async (tokens, spaces, id) => {
      const members = Object.entries({ ...base, id }).flatMap(([name, text]) => [
        ...[JSON.stringify(name), ":", JSON.stringify(text), ","],
      ]);
      const body = spread(["{", ...members, '"data"', ":", ...tokens, "}"], spaces);
      return accepted(send({ headers: structured, body }));
    });
  });
});

describe("the binary mode", () => {
  const binary = (more: Record<string, string> = {}) => ({
    "ce-specversion": "1.0",
    "ce-id": `b-${(count += 1)}`,
    "ce-source": "/",
    "ce-type": "a.b",
    ...more,
  });

  test("reads percent-encoded and quoted header values", async () => {
    const headers = binary({
      "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80",
      "ce-quoted": '"A \\"B\\" %25"',
      "content-type": "application/json",
    });
    const { id } = await accepted(send({ headers, body: "1" }));
    expect(await received(id)).toMatchObject({ subject: "Euro € 😀", quoted: 'A "B" %' });
  });

  test.each([
    ["a % of its own", { "ce-subject": "100%" }, "/subject"],
    ["bytes that are not UTF-8", { "ce-subject": "%ff" }, "/subject"],
    ["a control character", { "ce-subject": "a%0d%0ab" }, "/subject"],
    ["a name with a hyphen", { "ce-my-name": "1" }, "/my-name"],
    ["another version", { "ce-specversion": "0.3" }, "/specversion"],
    ["the media type in a header of its own", { "ce-datacontenttype": "a/b" }, "/datacontenttype"],
    ["data in a header", { "ce-data": "1" }, "/data"],
  ])("refuses %s", async (_, more, pointer) => {
    const answer = await readAnswer(await send({ headers: binary(more), body: "1" }));
    expect([answer.status, answer.json?.["errors"]]).toMatchObject([422, [{ pointer }]]);
  });

  test.each<[string, string | Buffer, string, string]>([
    ["application/json", ' {"a" : 1.0 } ', "data", '{"a":1.0}'],
    ["application/vnd.x+json; charset=utf-8", "1e400", "data", "1e400"],
    ["text/plain", "\ufeffa\0\u0085", "data", '"\ufeffa\\u0000\u0085"'],
    ["application/xml", "<a>é</a>", "data", '"<a>é</a>"'],
    ["image/svg+xml;charset=UTF-8", "<a/>", "data", '"<a/>"'],
    ["text/plain; charset=latin1", Buffer.from([0xe9]), "data_base64", '"6Q=="'],
    ["text/plain", Buffer.from([0xe9]), "data_base64", '"6Q=="'],
    ["application/x-ndjson", "1\n2\n", "data_base64", '"MQoyCg=="'],
    ["application/x-www-form-urlencoded", "a=1", "data_base64", '"YT0x"'],
  ])("takes %s", async (type, body, member, text) => {
    const headers = binary({ "content-type": type });
    const { id } = await accepted(send({ headers, body }));
    const envelope = await textOf(id);
    expect(envelope).toContain(`"datacontenttype":"${type}"`);
    expect(envelope.slice(envelope.indexOf(`,"${member}":`))).toBe(`,"${member}":${text}}`);
  });

  test("calls bytes without a media type what HTTP calls them", async () => {
    const { id } = await accepted(send({ headers: binary(), body: Buffer.from([1]) }));
    const envelope = JSON.parse(await textOf(id));
    expect(envelope).toMatchObject({
      datacontenttype: "application/octet-stream",
      data_base64: "AQ==",
    });
  });

  test("refuses JSON that is none", async () => {
    const headers = binary({ "content-type": "application/json" });
    expect((await readAnswer(await send({ headers, body: "{" }))).slug).toBe("malformed-json");
  });

  test("is not taken for a format of events that the gateway does not know", async () => {
    const headers = binary({ "content-type": "application/cloudevents+avro" });
    expect((await send({ headers, body: "x" })).status).toBe(415);
  });

  test("keeps the tokens of data", async () => {
    await expectTokens(async (tokens, spaces, id) => {
      const headers = binary({ "ce-id": id, "content-type": "application/json" });
      return accepted(send({ headers, body: spread(tokens, spaces) }));
    });
  });
});

describe("a batch", () => {
  const headers = { "content-type": "application/cloudevents-batch+json" };

  test("is answered like a batch, and a bad event spoils only itself", async () => {
    const [first, second] = [newEvent(), newEvent({ data: "two" })];
    const deep = "[".repeat(100) + "]".repeat(100);
    const bad = JSON.stringify({ ...first.toJSON(), id: "bad", subject: "" });
    const body = `[${[String(first), bad, "1", deep, String(second)].join(",")}]`;
    const { results } = await accepted(send({ headers, body }, "?tenant=acme&cursors=true"));
    const told = results as { status: number; id?: string; cursor?: string }[];
    expect(told.map(({ status }) => status)).toEqual([201, 422, 422, 422, 201]);
    expect((await received(told[4]?.id)).data).toBe("two");
    const [one, , , , five] = told;
    const page = await gateway.call("GET", `/events?tenant=acme&cursor=${one?.cursor}`, {
      headers: { accept: "application/cloudevents-batch+json" },
    });
    const read = HTTP.toEvent({ headers: Object.fromEntries(page.headers), body: page.text });
    expect((read as CloudEventV1<unknown>[]).map(({ id }) => id)).toContain(five?.id);
  });

  test.each([
    ["is no list", "{}", 422],
    ["has more than 1,000", `[${"1,".repeat(1_000)}1]`, 422],
    ["is not JSON", "[", 400],
  ])("that %s is refused", async (_, body, status) => {
    expect((await send({ headers, body })).status).toBe(status);
  });

  test("takes no key", async () => {
    const answer = await send({ headers, body: "[]" }, undefined, { "idempotency-key": "k" });
    expect((await readAnswer(answer)).slug).toBe("invalid-header");
  });
});

/** Goal: no token of `data` changes. Method: random tokens with white space between are sent. */
async function expectTokens(
  post: (
    tokens: readonly string[],
    spaces: readonly string[],
    id: string,
  ) => Promise<Record<string, unknown>>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(jsonTokens, whiteSpace, async (tokens, spaces) => {
      count += 1;
      const { id } = await post(tokens, spaces, `tokens-${count}`);
      const envelope = await textOf(id);
      expect(envelope.slice(envelope.indexOf(',"data":'))).toBe(`,"data":${tokens.join("")}}`);
    }),
    { numRuns: 100 },
  );
}
