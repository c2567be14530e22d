/**
 * A gateway with a customer in it, as the portal shows it on an ordinary bad day: receivers that
 * are well, that fail in several ways, and endpoints in every state.
 */
import { randomUUID } from "node:crypto";
import { startReceiver, type Behaviour, type Receiver } from "./receiver.ts";
import { startTestGateway, succeed } from "./gateway.ts";
import { waitUntil } from "./wait.ts";

export type Portal = Awaited<ReturnType<typeof startPortal>>;

export type NewEndpoint = Readonly<Record<string, unknown>> & { readonly url: string };

export async function startPortal() {
  await using opening = new AsyncDisposableStack();
  const gateway = opening.use(await startTestGateway());
  const receivers: Receiver[] = [];
  opening.defer(async () => {
    await Promise.all(receivers.map((receiver) => receiver.stop()));
  });
  const opened = opening.move();
  return {
    ...{
      gateway,
      url: gateway.url,
      operatorLink: `${gateway.url}/portal#token=${gateway.operatorKey}`,
    },
    ...{ linkTo, receiver, endpoint, deliveries },
    stop: () => opened.disposeAsync(),
  };

  /** A portal link of the tenant, led to one of its views: `/endpoints?status=paused`. */
  async function linkTo(tenant: string, view = ""): Promise<string> {
    const { url } = await succeed(gateway.call("POST", "/portal-links", { body: { tenant } }));
    const { origin, pathname, hash } = new URL(String(url));
    return `${origin}${pathname}${view}${hash}`;
  }

  async function receiver(behaviour?: Behaviour): Promise<Receiver> {
    const started = await startReceiver(behaviour);
    receivers.push(started);
    return started;
  }

  /** Its id. */
  async function endpoint(tenant: string, wanted: NewEndpoint): Promise<string> {
    const body = { tenant, ...wanted };
    return String((await succeed(gateway.call("POST", "/endpoints", { body })))["id"]);
  }

  /** Waits until the tenant has so many in this state. */
  async function deliveries(tenant: string, status: string, count: number): Promise<Delivery[]> {
    return waitUntil(
      async () => {
        const path = `/deliveries?tenant=${tenant}&status=${status}&limit=1000`;
        const { deliveries: found } = await succeed(gateway.call("GET", path));
        return (found as Delivery[]).length >= count && (found as Delivery[]);
      },
      { deadlineMs: 60_000, what: `${count} deliveries are ${status}` },
    );
  }
}

type Delivery = { id: string; endpoint: string; event: { id: string; type: string } };

const types = ["order.created", "order.paid", "order.shipped", "invoice.paid", "customer.updated"];

/**
 * A tenant with something of everything: event types, endpoints in each state, deliveries that
 * arrived, wait for their next attempt and are dead, a consumer that lags, a key.
 */
export async function createShowcase(portal: Portal, tenant: string) {
  const { gateway, receiver, endpoint } = portal;
  await gateway.createTenant(tenant);
  for (const type of types)
    await gateway.call("PUT", `/event-types/${type}`, { body: describe(type) });
  const well = await receiver();
  const broken = await receiver({
    kind: "answer",
    status: 503,
    headers: { "content-type": "text/plain" },
    body: "upstream connect error or disconnect/reset before headers",
  });
  const refusing = await receiver({
    kind: "answer",
    status: 422,
    body: '{"error":"unknown order"}',
  });
  const leaving = await receiver({ kind: "answer", status: 410 });
  const endpoints = {
    well: await endpoint(tenant, { url: well.url, description: "The shop's backend" }),
    broken: await endpoint(tenant, {
      url: broken.url,
      types: ["order.*"],
      description: "Warehouse",
    }),
    refusing: await endpoint(tenant, {
      url: refusing.url,
      types: ["invoice.paid"],
      retry_schedule: ["1s"],
      description: "Accounting",
    }),
    leaving: await endpoint(tenant, { url: leaving.url, types: ["customer.updated"] }),
    paused: await endpoint(tenant, { url: `${well.url}/paused`, types: ["order.paid"] }),
    polling: await endpoint(tenant, { url: `${well.url}/polling` }),
  };
  await succeed(gateway.call("POST", `/endpoints/${endpoints.paused}/pause`));
  await succeed(gateway.call("POST", `/endpoints/${endpoints.polling}/poll`));
  await succeed(
    gateway.call("PUT", `/consumers/analytics?tenant=${tenant}`, { body: { start: "earliest" } }),
  );
  await gateway.createKey(tenant, ["append"]);
  const events = await gateway.append(tenant, ...orders(40));
  await portal.deliveries(tenant, "delivered", 40);
  await portal.deliveries(tenant, "dead", 8);
  return { tenant, endpoints, events, receivers: { well, broken, refusing } };
}

function orders(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    type: types[index % types.length],
    subject: `order_${1_000 + index}`,
    data: {
      order: randomUUID(),
      amount: 4_200 + index,
      currency: "EUR",
      lines: [{ sku: "tide-1", quantity: 2 }],
    },
  }));
}

function describe(type: string): object {
  return {
    description: `Sent for ${type.replace(".", " ")}`,
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { order: { type: "string" }, amount: { type: "integer" } },
    },
  };
}
