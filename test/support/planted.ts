/**
 * A tenant with one thing of every kind, each marked, so that any answer that shows something of
 * it to somebody else gives itself away.
 */
import { randomBytes } from "node:crypto";
import type { Scope } from "../../src/http/auth.ts";
import { recordDelivery } from "./deliveries.ts";
import { succeed, type CallOptions, type TestGateway } from "./gateway.ts";
import { waitUntil } from "./wait.ts";

export type Planted = Awaited<ReturnType<typeof plant>>;

/** Things that a request can name; a value of each belongs to the planted tenant. */
export type Thing =
  | "consumer"
  | "cursor"
  | "delivery"
  | "endpoint"
  | "event"
  | "idempotencyKey"
  | "replay";

/** What is pushed to `receiver` is of no interest here. */
export async function plant(gateway: TestGateway, label: string, receiver: string) {
  const name = await gateway.createTenant(`${label}-${randomBytes(6).toString("hex")}`);
  // In every text that the tenant can choose: other than its name, a request never repeats it.
  const mark = `mark${randomBytes(8).toString("hex")}`;
  await succeed(gateway.call("PATCH", `/tenants/${name}`, { body: { name: `Name ${mark}` } }));
  const key = await createKey(["manage"]);

  const url = `${receiver}/${mark}`;
  const endpoint = await succeed(
    call("POST", "/endpoints", {
      body: {
        url,
        description: `Description ${mark}`,
        types: [`type.${mark}`],
        metadata: { [mark]: mark },
        headers: { [`x-${mark}`]: mark },
      },
    }),
  );
  const idempotencyKey = `key-${mark}`;
  const event = { source: `/${mark}`, type: `type.${mark}`, subject: mark, data: { mark } };
  const first = await succeed(call("POST", "/events", { body: { ...event, key: idempotencyKey } }));
  // A reader that continues after the first one's cursor finds this.
  const second = await succeed(call("POST", "/events", { body: event }));

  const consumer = `consumer-${mark}`;
  const start = { cursor: first["cursor"] };
  await succeed(
    call("PUT", `/consumers/${consumer}`, { body: { types: [`type.${mark}`], start } }),
  );

  const ids = { endpoint: String(endpoint["id"]), event: String(first["id"]) };
  const things: Record<Thing, string> = {
    cursor: String(first["cursor"]),
    ...{ ...ids, consumer, idempotencyKey, delivery: await deliveryOf(ids) },
    replay: await replayOf(ids),
  };
  const secrets = [key, endpoint["secret"], second["id"], second["cursor"]].map(String);
  const keys = new Map<string, Promise<string>>();

  return {
    ...{ gateway, name, key, url, things, call, keyWith, createKey, snapshot },
    /** None of these may be in an answer to anybody else, unless the request said it. */
    markers: [name, mark, ...Object.values(things), ...secrets],
  };

  /** The one of the first event, when both are delivered. */
  async function deliveryOf(ids: { endpoint: string; event: string }): Promise<string> {
    if (gateway.environment["TIDEGATE_ROLES"] === "api") return recordDelivery(gateway, ids);
    return waitUntil(
      async () => {
        const { deliveries } = await succeed(call("GET", "/deliveries"));
        const [later, earlier] = deliveries as { id: string; status: string }[];
        return later?.status === "delivered" && earlier?.status === "delivered" && earlier.id;
      },
      { what: "the deliveries of the planted tenant" },
    );
  }

  /** One with nothing to send, when it is over. */
  async function replayOf({ endpoint }: { endpoint: string }): Promise<string> {
    const body = { status: "dead" };
    const replay = await succeed(call("POST", `/endpoints/${endpoint}/replays`, { body }));
    const id = String(replay["id"]);
    if (gateway.environment["TIDEGATE_ROLES"] === "api") return id;
    return waitUntil(
      async () => (await succeed(call("GET", `/replays/${id}`)))["status"] === "completed" && id,
      { what: "the replay of the planted tenant" },
    );
  }

  /** A request of the tenant itself. */
  function call(method: string, path: string, options: CallOptions = {}) {
    return gateway.call(method, path, { key, ...options });
  }

  /** A key with just these scopes, the same one every time. */
  function keyWith(scopes: readonly Scope[]): Promise<string> {
    const known = keys.get(scopes.join());
    if (known !== undefined) return known;
    const created = createKey(scopes);
    keys.set(scopes.join(), created);
    return created;
  }

  async function createKey(scopes: readonly Scope[]): Promise<string> {
    const body = { tenant: name, scopes, description: `Key ${mark}` };
    return String((await succeed(gateway.call("POST", "/keys", { body })))["key"]);
  }

  /** All that the tenant has, without what changes by itself. */
  async function snapshot(): Promise<unknown> {
    const query = `tenant=${name}&limit=1000`;
    const all = ["endpoints", "keys", "events", "deliveries", "consumers", "replays"];
    const lists = all.map(async (list) => {
      const items = (await succeed(gateway.call("GET", `/${list}?${query}`)))[list];
      // Others that are made here run to their end by themselves.
      return (items as Record<string, unknown>[])
        .filter(({ id }) => list !== "replays" || id === things.replay)
        .map(lasting);
    });
    return Promise.all([...lists, succeed(gateway.call("GET", `/tenants/${name}`))]);
  }
}

const changing = [
  ...["position", "lag", "in_flight", "retrying", "dead", "circuit"],
  ...["last_success_at", "last_failure", "retention_headroom_seconds"],
];

function lasting(item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !changing.includes(name)));
}
