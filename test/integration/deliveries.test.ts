/** What people can read about deliveries, of pushes that were really made. */
import { describe, expect, test } from "vitest";
import { openPushSuite } from "../support/push-suite.ts";
import { type Json, type ShownEndpoint } from "../support/client.ts";
import { succeed } from "../support/gateway.ts";
import { appendMany, repeated, sequenceOf } from "../support/pushes.ts";
import { type Behave, type Behaviour } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Attempt = {
  readonly attempt: number;
  readonly trigger: string;
  readonly at: string;
  readonly queue_ms: number;
  readonly latency_ms: number;
  readonly status_code: number | null;
  readonly error: { readonly class: string; readonly message: string } | null;
  readonly request: { readonly url: string; readonly headers: Record<string, string> } | null;
  readonly response: {
    readonly headers: Record<string, string | string[]>;
    readonly body: string;
    readonly truncated: boolean;
  } | null;
};

type Delivery = {
  readonly id: string;
  readonly endpoint: string;
  readonly event: { readonly id: string; readonly type: string; readonly sequence: string };
  readonly status: string;
  readonly attempts: number;
  readonly first_attempt_at: string;
  readonly last_attempt_at: string;
  readonly next_attempt_at: string | null;
  readonly last_status_code: number | null;
  readonly last_error: string | null;
};

const keptBodyBytes = 4_096;

const suite = openPushSuite();
const { newTenant, receiverThat, pushTo } = suite;

async function list(path: string): Promise<Delivery[]> {
  return (await suite.client.expectOk("GET", path))["deliveries"] as Delivery[];
}

async function show(id: string): Promise<Delivery & { attempt_log: Attempt[] }> {
  return (await suite.client.expectOk("GET", `/deliveries/${id}`)) as Delivery & {
    attempt_log: Attempt[];
  };
}

/** The endpoint's deliveries, when there are as many and each has the status. */
function recorded({ id }: ShownEndpoint, count: number, status = "delivered"): Promise<Delivery[]> {
  return waitUntil(
    async () => {
      const deliveries = await list(`/endpoints/${id}/deliveries?limit=1000&status=${status}`);
      return deliveries.length === count && deliveries;
    },
    { what: `${count} deliveries that are ${status}`, deadlineMs: 10_000 },
  );
}

/** The one delivery of an event to an endpoint that behaves like this, when it has the status. */
async function pushOne(status: string, behaviour?: Behaviour | Behave, settings: Json = {}) {
  const pushed = await pushTo(behaviour, settings);
  const event = await suite.client.append(pushed.tenant, { n: 1 });
  const [delivery] = await recorded(pushed.endpoint, 1, status);
  if (delivery === undefined) throw new Error("no delivery");
  return { ...pushed, event, delivery, shown: await show(delivery.id) };
}

describe("the record of a delivery", () => {
  test("tells of one that succeeded at once, with what was sent", async () => {
    const headers = { "x-own": "hidden", authorization: "Basic aGlkZGVu" };
    const pushed = await pushOne("delivered", undefined, { headers, format: "cloudevents" });
    const { delivery, endpoint, event, receiver, shown } = pushed;
    const { attempt_log: log, ...rest } = shown;
    expect(rest).toEqual(delivery);
    expect(delivery).toEqual({
      id: expect.stringMatching(/^dlv_[a-z0-9]+$/),
      endpoint: endpoint.id,
      event: { id: event.id, type: "order.created", sequence: event.sequence },
      ...{ status: "delivered", attempts: 1 },
      first_attempt_at: delivery.last_attempt_at,
      last_attempt_at: expect.any(String),
      ...{ next_attempt_at: null, last_status_code: 200, last_error: null, receipt: null },
    });
    const [attempt] = log;
    expect(log).toHaveLength(1);
    expect(attempt).toMatchObject({
      ...{ attempt: 1, trigger: "event", at: delivery.last_attempt_at },
      ...{ status_code: 200, error: null, response: null },
    });
    const sent = receiver.requests[0]?.headers ?? {};
    const secret = ["webhook-signature", "tidegate-signature", "x-own", "authorization"];
    const known = Object.entries(attempt?.request?.headers ?? {});
    for (const [name, value] of known) {
      expect([name, value]).toEqual([name, secret.includes(name) ? "[redacted]" : sent[name]]);
    }
    expect(known.map(([name]) => name).toSorted()).toEqual([
      ...["authorization", "content-type", "tidegate-attempt", "tidegate-endpoint"],
      ...["tidegate-previous-sequence", "tidegate-sequence", "tidegate-signature", "webhook-id"],
      ...["webhook-signature", "webhook-timestamp", "x-own"],
    ]);
    expect(attempt?.request?.url).toBe(receiver.url);
    expect(JSON.stringify(shown)).not.toMatch(/hidden|aGlkZGVu/);
  });

  test("tells of each attempt, the oldest first", async () => {
    const { shown } = await pushOne(
      "delivered",
      (request) =>
        request.headers["tidegate-attempt"] === "1"
          ? { kind: "answer", status: 500, body: "not now", headers: { "x-shown": ["a", "b"] } }
          : { kind: "answer", status: 202, body: "fine" },
      { retry_schedule: ["1s"] },
    );
    expect(shown).toMatchObject({ attempts: 2, last_status_code: 202, last_error: null });
    const [first, second] = shown.attempt_log;
    expect(shown.attempt_log).toHaveLength(2);
    expect(first).toMatchObject({
      ...{ attempt: 1, trigger: "event", at: shown.first_attempt_at, status_code: 500 },
      error: { class: "http", message: "status 500" },
      response: { body: "not now", truncated: false },
    });
    expect(first?.response?.headers).toMatchObject({ "x-shown": expect.anything() });
    expect(second).toMatchObject({
      ...{ attempt: 2, trigger: "retry", at: shown.last_attempt_at, status_code: 202, error: null },
      request: { headers: { "tidegate-attempt": "2" } },
    });
    expect(Date.parse(second?.at ?? "")).toBeGreaterThan(Date.parse(first?.at ?? ""));
  });

  test("tells when one that failed is due again", async () => {
    const refusal: Behaviour = { kind: "answer", status: 503 };
    const { shown } = await pushOne("retrying", refusal, { retry_schedule: ["1h"] });
    expect(shown).toMatchObject({ attempts: 1, last_status_code: 503 });
    expect(Date.parse(shown.next_attempt_at ?? "")).toBeGreaterThan(Date.now());
    expect(shown.last_error).toBe("http: status 503");
  });

  test("tells why it is a dead letter", async () => {
    const refusal: Behaviour = { kind: "answer", status: 400 };
    const { tenant, shown, delivery } = await pushOne("dead", refusal, { retry_schedule: [] });
    expect(shown).toMatchObject({ attempts: 1, next_attempt_at: null, last_status_code: 400 });
    expect(shown.last_error).toMatch(/^http: status 400/);
    expect(shown.attempt_log).toHaveLength(1);
    expect(shown.attempt_log[0]?.error).toMatchObject({ class: "http" });
    expect(await list(`/deliveries?tenant=${tenant}&status=dead`)).toEqual([delivery]);
  });

  test("tells of a connection that broke before there was an answer", async () => {
    const { shown } = await pushOne(
      "dead",
      { kind: "reset", when: "before-head" },
      { retry_schedule: [] },
    );
    expect(shown).toMatchObject({ last_status_code: null });
    expect(shown.attempt_log).toMatchObject([
      { status_code: null, error: { class: "reset" }, response: null },
    ]);
  });

  test("keeps the start of a long body, and says that it is the start", async () => {
    const body = "x".repeat(3 * keptBodyBytes);
    const refusal: Behaviour = { kind: "answer", status: 500, body };
    const { shown } = await pushOne("dead", refusal, { retry_schedule: [] });
    const response = shown.attempt_log[0]?.response;
    expect(response).toMatchObject({ body: body.slice(0, keptBodyBytes), truncated: true });
  });

  test("shows bytes that are no text as well as that can be done", async () => {
    const body = Buffer.from([0, 0xff, 0x41, 0xc3, 0x28, 0]);
    const refusal: Behaviour = { kind: "answer", status: 500, body };
    const { shown } = await pushOne("dead", refusal, { retry_schedule: [] });
    const response = shown.attempt_log[0]?.response;
    expect(response).toMatchObject({ body: "\uFFFD\uFFFDA\uFFFD(\uFFFD", truncated: false });
  });

  test("hides what of a response lets somebody in", async () => {
    const headers = {
      "set-cookie": ["sid=hidden", "other=hidden"],
      "x-api-key": "hidden",
      "X-Auth-Token": "hidden",
      "www-authenticate": "Basic realm=shown",
    };
    const refusal: Behaviour = { kind: "answer", status: 401, headers };
    const { shown } = await pushOne("dead", refusal, { retry_schedule: [] });
    expect(shown.attempt_log[0]?.response?.headers).toMatchObject({
      "set-cookie": "[redacted]",
      "x-api-key": "[redacted]",
      "x-auth-token": "[redacted]",
      "www-authenticate": "Basic realm=shown",
    });
    expect(JSON.stringify(shown)).not.toContain("hidden");
  });

  test("outlives its endpoint", async () => {
    const { tenant, endpoint, delivery, event } = await pushOne("delivered");
    await suite.client.expectOk("DELETE", `/endpoints/${endpoint.id}`);
    const { attempt_log: log, ...rest } = await show(delivery.id);
    expect(rest).toEqual(delivery);
    expect(log).toMatchObject([{ attempt: 1, status_code: 200, request: null }]);
    expect(await list(`/deliveries?tenant=${tenant}`)).toEqual([delivery]);
    expect(await list(`/deliveries?tenant=${tenant}&endpoint=${endpoint.id}`)).toEqual([delivery]);
    expect(await list(`/events/${event.id}/deliveries`)).toEqual([delivery]);
    const gone = await suite.client.call("GET", `/endpoints/${endpoint.id}/deliveries`);
    expect(gone.status).toBe(404);
  });
});

describe("a list of deliveries", () => {
  test("leads to each once while more are made", async () => {
    const { tenant, endpoint } = await pushTo();
    const count = 250;
    await appendMany(suite.client, tenant, repeated("a", count));
    const before = await recorded(endpoint, count);
    const seen: Delivery[] = [];
    let at = "";
    for (let more = true; more;) {
      const page = await suite.client.expectOk(
        "GET",
        `/endpoints/${endpoint.id}/deliveries?limit=60${at}`,
      );
      seen.push(...(page["deliveries"] as Delivery[]));
      await appendMany(suite.client, tenant, repeated("a", 10));
      await recorded(endpoint, count + 10 * Math.ceil(seen.length / 60));
      more = page["has_more"] === true;
      at = `&cursor=${String(page["cursor"])}`;
    }
    expect(seen).toEqual(before);
    const sequences = seen.map(({ event }) => Number(event.sequence));
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a));
  });

  test("holds what its filters ask for", async () => {
    const { tenant, endpoint } = await pushTo(
      (request) => ({ kind: "answer", status: sequenceOf(request) % 2 === 0 ? 500 : 200 }),
      { retry_schedule: [] },
    );
    const other = await suite.client.createEndpoint(tenant, {
      url: (await receiverThat()).url,
      types: ["b.*"],
    });
    const early = await appendMany(suite.client, tenant, ["a", "b.c", "b.d", "a"]);
    await recorded(endpoint, 2, "dead");
    await recorded(other, 2);
    const { time } = (await suite.client.expectOk("GET", `/events/${early[3]}`)) as {
      time: string;
    };
    const later = await waitUntil(() => Date.now() > Date.parse(time) && new Date().toISOString());
    await appendMany(suite.client, tenant, ["b.c"]);
    const [newest] = await recorded(endpoint, 3);
    await recorded(other, 3);

    const ofTenant = (query: string) => list(`/deliveries?tenant=${tenant}${query}`);
    const pairs = (deliveries: Delivery[]) =>
      deliveries.map((one) => [Number(one.event.sequence), one.endpoint === endpoint.id]);
    const all = [
      ...[
        [5, false],
        [5, true],
        [4, true],
        [3, false],
        [3, true],
      ],
      ...[
        [2, false],
        [2, true],
        [1, true],
      ],
    ] as const;
    expect(pairs(await ofTenant(""))).toEqual(all);
    expect(pairs(await ofTenant("&type=a"))).toEqual([
      [4, true],
      [1, true],
    ]);
    expect(pairs(await ofTenant("&type=b.*&status=dead"))).toEqual([[2, true]]);
    expect(pairs(await ofTenant(`&endpoint=${other.id}`))).toEqual(
      all.filter(([, isFirst]) => !isFirst),
    );
    expect(pairs(await ofTenant(`&event=${early[1]}`))).toEqual([
      [2, false],
      [2, true],
    ]);
    expect(pairs(await ofTenant(`&event=${early[1]}&status=dead`))).toEqual([[2, true]]);
    expect(pairs(await ofTenant(`&since=${later}`))).toEqual([
      [5, false],
      [5, true],
    ]);
    expect(pairs(await ofTenant(`&until=${later}`))).toEqual(all.slice(2));
    expect(await ofTenant("&status=awaiting_receipt")).toEqual([]);
    expect(await ofTenant("&endpoint=ep_none")).toEqual([]);
    expect(await ofTenant("&event=evt_none")).toEqual([]);
    const own = `/endpoints/${endpoint.id}/deliveries`;
    expect(await list(`${own}?since=${later}&status=delivered`)).toEqual([newest]);
    expect(pairs(await list(`/events/${early[2]}/deliveries?limit=1`))).toEqual([[3, false]]);
  });

  test("leaves out events that the endpoint has not come to, and those that are not for it", async () => {
    const settings = { types: ["a"], max_in_flight: 1 };
    const { tenant, endpoint, receiver } = await pushTo({ kind: "hang" }, settings);
    const [first] = await appendMany(suite.client, tenant, ["a", "b", "a"]);
    await receiver.received(1);
    expect(await list(`/endpoints/${endpoint.id}/deliveries`)).toEqual([]);
    expect(await list(`/events/${first}/deliveries`)).toEqual([]);
  });

  test.each([
    ["a status that there is not", "status=lost", "invalid-parameter"],
    ["a type that is none", "type=*", "invalid-parameter"],
    ["a time that is none", "since=yesterday", "invalid-parameter"],
    ["a parameter that there is not", "state=dead", "unknown-parameter"],
    ["the cursor of another list", "cursor=ZXBfMQ", "cursor-invalid"],
  ])("cannot be asked for with %s", async (_, query, problem) => {
    const tenant = await newTenant();
    const { status, slug } = await suite.gateway.call(
      "GET",
      `/deliveries?tenant=${tenant}&${query}`,
    );
    expect([status, slug]).toEqual([400, problem]);
  });
});

describe("somebody else", () => {
  test("gets the answer for what does not exist", async () => {
    const { endpoint, delivery, event } = await pushOne("delivered");
    const key = await suite.client.tenantKey(await newTenant());
    const swapped = delivery.id.replace(/.$/, (digit) => (digit === "1" ? "2" : "1"));
    for (const [path, known] of [
      [`/deliveries/${delivery.id}`, 200],
      [`/deliveries/${swapped}`, 404],
      ["/deliveries/dlv_none", 404],
      [`/endpoints/${endpoint.id}/deliveries`, 200],
      ["/endpoints/ep_none/deliveries", 404],
      [`/events/${event.id}/deliveries`, 200],
      ["/events/evt_none/deliveries", 404],
    ] as const) {
      const own = await suite.gateway.call("GET", path);
      expect([path, own.status]).toEqual([path, known]);
      const { status, json } = await suite.gateway.call("GET", path, { key });
      expect([path, status, json?.["detail"]]).toEqual([
        path,
        404,
        `there is no such ${path.split("/")[1]?.replace(/ies$/, "y").replace(/s$/, "")}`,
      ]);
    }
    const named = await succeed(
      suite.gateway.call("GET", `/deliveries?endpoint=${endpoint.id}&event=${event.id}`, { key }),
    );
    expect(named).toEqual({ deliveries: [], cursor: null, has_more: false });
  });
});
