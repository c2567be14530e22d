/**
 * How to ask for each operation of openapi.yaml. An operation without its case fails the suite;
 * what the tests of the contract and of isolation make of a case follows from the document.
 *
 * A request is built for the tenant that sends it, and never names that tenant. What it uses up is
 * made anew for each request.
 */
import { randomBytes } from "node:crypto";
import type { ProblemSlug } from "../../src/problem.ts";
import { recordDelivery, recordReplays } from "./deliveries.ts";
import type { Request } from "./exercise.ts";
import { succeed, type TestGateway } from "./gateway.ts";
import type { Planted, Thing } from "./planted.ts";

export type Build = (sender: Planted) => Request | Promise<Request>;

export type Sample = {
  readonly status: number;
  readonly build: Build;
  /** Things that it can name in headers, which the document does not list. */
  readonly headers?: Readonly<Record<string, Thing>>;
};

export type Case = {
  /** One for each success that the document names, status and media type; the plainest first. */
  readonly samples: readonly Sample[];
  /** What the path names belongs to all tenants alike. */
  readonly shared?: true;
  /** What the path names is the tenant's own: a request makes it where there is none. */
  readonly makes?: true;
  /** For those problems that the document alone does not say how to provoke. */
  readonly problems?: Readonly<Partial<Record<ProblemSlug, Build>>>;
};

const event = { type: "order.created", data: { amount: 4_200 } };

const eventType = { description: "An order", schema: { type: "object" } };

/** So that nothing is pushed to the endpoints that come and go here. */
const unused = ["never.appended"];

const plain: Sample = { status: 200, build: () => ({}) };

const ownTenant: Build = ({ name }) => ({ path: { tenant: name } });
const ownEndpoint: Build = ({ things }) => ({ path: { id: things.endpoint } });
const ownDelivery: Build = ({ things }) => ({ path: { id: things.delivery } });
const ownConsumer: Build = ({ things }) => ({ path: { name: things.consumer } });
const ownReplay: Build = ({ things }) => ({ path: { id: things.replay } });
const ownEvent: Build = ({ things }) => ({ path: { id: things.event } });

/** An address of a private network, which the tests' gateway may not reach. */
const privateUrl = "http://10.0.0.1/hook";

export const cases: Readonly<Record<string, Case>> = {
  appendEvents: {
    samples: [
      {
        status: 201,
        build: () => ({ body: event }),
        headers: { "idempotency-key": "idempotencyKey" },
      },
      { status: 200, build: () => ({ body: { events: [event, event] } }) },
      { status: 200, build: repeatedEvent },
      {
        status: 200,
        build: () => ({
          body: `${JSON.stringify(event)}\n`,
          headers: { "content-type": "application/x-ndjson" },
        }),
      },
    ],
    problems: {
      "invalid-header": () => ({
        body: { events: [event] },
        headers: { "idempotency-key": "of-a-batch" },
      }),
      "idempotency-conflict": async (sender) => {
        const { body } = await repeatedEvent(sender);
        return { body: { ...body, data: "other" } };
      },
    },
  },
  listEvents: {
    samples: [
      plain,
      {
        status: 200,
        build: () => ({ headers: { accept: "application/cloudevents-batch+json" } }),
      },
      { status: 304, build: knownPage },
    ],
    problems: { "cursor-filter-mismatch": cursorOfAnotherFilter, "not-found": ofNoEndpoint },
  },
  getEvent: {
    samples: [
      { status: 200, build: ownEvent },
      {
        status: 200,
        build: async (sender) => ({
          ...(await ownEvent(sender)),
          headers: { accept: "application/cloudevents+json" },
        }),
      },
    ],
  },
  streamEvents: {
    samples: [{ ...plain, headers: { "last-event-id": "cursor" } }],
    problems: { "cursor-filter-mismatch": cursorOfAnotherFilter, "not-found": ofNoEndpoint },
  },

  putTenant: {
    samples: [
      { status: 201, build: () => ({ path: { tenant: `new-${unique()}` }, body: {} }) },
      { status: 200, build: ({ name }) => ({ path: { tenant: name }, body: { name: "Put" } }) },
    ],
  },
  getTenant: { samples: [{ status: 200, build: ownTenant }] },
  patchTenant: {
    samples: [
      { status: 200, build: ({ name }) => ({ path: { tenant: name }, body: { name: "Patch" } }) },
    ],
  },
  deleteTenant: {
    samples: [{ status: 202, build: async ({ gateway }) => ({ path: await newTenant(gateway) }) }],
  },
  listTenants: { samples: [plain] },
  getLimits: { samples: [plain] },
  getOperationalEvents: { samples: [plain] },
  putOperationalEvents: {
    samples: [{ status: 200, build: () => ({ body: { types: ["tidegate.endpoint.*"] } }) }],
  },

  createKey: { samples: [{ status: 201, build: () => ({ body: { scopes: ["read"] } }) }] },
  getCurrentKey: { samples: [plain] },
  listKeys: { samples: [plain] },
  deleteKey: {
    samples: [
      {
        status: 204,
        build: async ({ call }) => {
          const key = await succeed(call("POST", "/keys", { body: { scopes: ["read"] } }));
          return { path: { id: String(key["id"]) } };
        },
      },
    ],
  },

  createPortalLink: { samples: [{ status: 201, build: () => ({}) }] },
  createTicket: {
    samples: [
      { status: 201, build: () => ({}) },
      { status: 201, build: () => ({ body: { types: ["order.*"], subjects: ["a"] } }) },
    ],
  },

  createEndpoint: {
    samples: [{ status: 201, build: ({ url }) => ({ body: { url, types: unused } }) }],
    problems: { "address-not-allowed": () => ({ body: { url: privateUrl } }) },
  },
  listEndpoints: { samples: [plain] },
  getEndpoint: { samples: [{ status: 200, build: ownEndpoint }] },
  patchEndpoint: {
    samples: [
      {
        status: 200,
        build: async (sender) => ({ ...(await ownEndpoint(sender)), body: { max_in_flight: 7 } }),
      },
    ],
    problems: {
      "address-not-allowed": async (sender) => ({
        ...(await ownEndpoint(sender)),
        body: { url: privateUrl },
      }),
    },
  },
  deleteEndpoint: {
    samples: [
      {
        status: 204,
        build: newEndpoint,
      },
    ],
  },
  testEndpoint: { samples: [{ status: 200, build: ownEndpoint }] },
  pauseEndpoint: {
    samples: [
      {
        status: 200,
        build: async (sender) => ({ ...(await newEndpoint(sender)), body: { reason: "moving" } }),
      },
    ],
  },
  pollEndpoint: { samples: [{ status: 200, build: newEndpoint }] },
  resumeEndpoint: {
    samples: [
      {
        status: 200,
        build: async (sender) => ({ ...(await newEndpoint(sender)), body: { from: "latest" } }),
      },
      {
        status: 200,
        build: async (sender) => {
          const from = { cursor: sender.things.cursor };
          return { ...(await newEndpoint(sender)), body: { from } };
        },
      },
    ],
    problems: {
      "cursor-invalid": async (sender) => {
        const from = { cursor: "x".repeat(64) };
        return { ...(await newEndpoint(sender)), body: { from } };
      },
    },
  },
  rotateEndpointSecret: {
    samples: [
      {
        status: 200,
        build: async (sender) => ({
          ...(await newEndpoint(sender)),
          body: { overlap_seconds: 60 },
        }),
      },
    ],
  },
  listMissedEvents: {
    samples: [
      { status: 200, build: ownEndpoint },
      {
        status: 200,
        build: async (sender) => ({
          ...(await ownEndpoint(sender)),
          headers: { accept: "application/cloudevents-batch+json" },
        }),
      },
    ],
  },
  getEndpointSecret: { samples: [{ status: 200, build: ownEndpoint }] },

  getDeliveryStats: {
    samples: [{ status: 200, build: ({ things: { endpoint } }) => ({ query: { endpoint } }) }],
    problems: {
      "invalid-parameter": () => ({ query: { window: "90s" } }),
      "not-found": () => ({ query: { endpoint: "ep_none" } }),
    },
  },
  listDeliveries: { samples: [plain] },
  listEndpointDeliveries: { samples: [{ status: 200, build: ownEndpoint }] },
  getEventTimeline: { samples: [{ status: 200, build: ownEvent }] },
  listEventDeliveries: { samples: [{ status: 200, build: ownEvent }] },
  getDelivery: { samples: [{ status: 200, build: ownDelivery }] },

  getUndelivered: { samples: [plain] },

  sendReceipt: {
    samples: [
      {
        status: 200,
        build: ({ things: { endpoint, event: id } }) => ({
          body: { endpoint, events: [id], status: "processed", detail: "by hand" },
        }),
      },
      {
        status: 200,
        build: ({ things: { endpoint, cursor: through } }) => ({
          body: { endpoint, through, status: "processed" },
        }),
      },
    ],
    problems: {
      "cursor-invalid": ({ things: { endpoint } }) => ({
        body: { endpoint, through: "x".repeat(64), status: "processed" },
      }),
      "not-found": ({ things: { event: id } }) => ({
        body: { endpoint: "ep_none", events: [id], status: "processed" },
      }),
    },
  },
  listReceipts: {
    samples: [{ status: 200, build: ({ things }) => ({ query: { event: things.event } }) }],
    problems: { "not-found": () => ({ query: { event: "evt_none" } }) },
  },
  replayDelivery: {
    samples: [{ status: 202, build: async (sender) => (await pausedDelivery(sender)).request }],
    problems: {
      "quota-exceeded": async (sender) => {
        const { request, endpoint } = await pausedDelivery(sender);
        await recordReplays(sender.gateway, endpoint);
        return request;
      },
    },
  },
  createReplay: {
    samples: [
      {
        status: 202,
        build: async (sender) => ({ ...(await newEndpoint(sender)), body: { status: "all" } }),
      },
      {
        status: 202,
        build: async (sender) => {
          const { cursor } = sender.things;
          return { ...(await newEndpoint(sender)), body: { status: "missing", from: cursor } };
        },
      },
    ],
    problems: {
      "cursor-invalid": async (sender) => {
        const body = { status: "dead", from: "x".repeat(64) };
        return { ...(await newEndpoint(sender)), body };
      },
      "quota-exceeded": async (sender) => {
        const { endpoint } = await pausedDelivery(sender);
        await recordReplays(sender.gateway, endpoint);
        return { path: { id: endpoint }, body: { status: "all" } };
      },
    },
  },
  listReplays: { samples: [plain] },
  getReplay: { samples: [{ status: 200, build: ownReplay }] },
  cancelReplay: { samples: [{ status: 204, build: newReplay }] },

  putConsumer: {
    makes: true,
    samples: [
      { status: 201, build: () => ({ path: { name: `new-${unique()}` }, body: {} }) },
      {
        status: 201,
        build: ({ things: { cursor } }) => ({
          path: { name: `new-${unique()}` },
          body: { types: ["order.*"], start: { cursor } },
        }),
      },
      {
        status: 200,
        build: async (sender) => ({ ...(await newConsumer(sender)), body: { subjects: ["a"] } }),
      },
    ],
    problems: {
      "cursor-invalid": () => ({
        path: { name: `new-${unique()}` },
        body: { start: { cursor: "x".repeat(64) } },
      }),
    },
  },
  getConsumer: { samples: [{ status: 200, build: ownConsumer }] },
  listConsumers: { samples: [plain] },
  listConsumerEvents: {
    samples: [
      { status: 200, build: ownConsumer },
      {
        status: 200,
        build: async (sender) => ({
          ...(await ownConsumer(sender)),
          headers: { accept: "application/cloudevents-batch+json" },
        }),
      },
    ],
  },
  ackConsumer: {
    samples: [{ status: 200, build: pageOfConsumer }],
    problems: {
      "ack-ahead": async (sender) => {
        const { cursor } = sender.things;
        return { ...(await newConsumer(sender)), body: { cursor } };
      },
    },
  },
  seekConsumer: {
    samples: [
      {
        status: 200,
        build: async (sender) => ({ ...(await newConsumer(sender)), body: { from: "latest" } }),
      },
      {
        status: 200,
        build: async (sender) => {
          const from = { cursor: sender.things.cursor };
          return { ...(await newConsumer(sender)), body: { from } };
        },
      },
    ],
    problems: {
      "cursor-invalid": async (sender) => {
        const from = { cursor: "x".repeat(64) };
        return { ...(await newConsumer(sender)), body: { from } };
      },
    },
  },
  deleteConsumer: { samples: [{ status: 204, build: newConsumer }] },

  putEventType: {
    samples: [
      { status: 201, build: () => ({ path: { type: `new_${unique()}` }, body: eventType }) },
      {
        status: 200,
        build: async (sender) => ({ ...(await registeredType(sender)), body: { schema: null } }),
      },
    ],
  },
  getEventType: {
    shared: true,
    samples: [{ status: 200, build: registeredType }],
    problems: { "not-found": unregisteredType },
  },
  listEventTypes: { samples: [{ status: 200, build: listOfTypes }] },
  deleteEventType: {
    samples: [{ status: 204, build: registeredType }],
    problems: { "not-found": unregisteredType },
  },

  getHealth: { samples: [plain] },
  getReadiness: { samples: [plain] },
  getMetrics: { samples: [plain] },
  getSystem: { samples: [plain] },
  search: { samples: [{ status: 200, build: ({ things }) => ({ query: { q: things.event } }) }] },
  getPortal: {
    samples: [plain, { status: 304, build: () => ({ headers: { "if-none-match": "*" } }) }],
  },
  getOpenApiJson: { samples: [plain] },
  getOpenApiYaml: { samples: [plain] },
};

/** A new one each time, since some requests end it. */
async function registeredType({ gateway }: Planted): Promise<Request> {
  const type = `registered_${unique()}`;
  await succeed(gateway.call("PUT", `/event-types/${type}`, { body: eventType }));
  return { path: { type } };
}

function unregisteredType(): Request {
  return { path: { type: `unregistered_${unique()}` } };
}

async function listOfTypes(sender: Planted): Promise<Request> {
  await registeredType(sender);
  return {};
}

/** One that a request may change or end. */
async function newEndpoint({ call, url }: Planted) {
  const body = { url, types: unused };
  const endpoint = await succeed(call("POST", "/endpoints", { body }));
  return { path: { id: String(endpoint["id"]) } };
}

/** One that a request may change or end. */
async function newConsumer({ call }: Planted) {
  const name = `brief-${unique()}`;
  await succeed(call("PUT", `/consumers/${name}`, { body: { start: "earliest" } }));
  return { path: { name } };
}

/** The cursor of what was handed out. */
async function pageOfConsumer(sender: Planted) {
  const consumer = await newConsumer(sender);
  const page = await succeed(sender.call("GET", `/consumers/${consumer.path.name}/events`));
  return { ...consumer, body: { cursor: String(page["cursor"]) } };
}

/** Of an endpoint that is paused, so that a replay of it waits. */
async function pausedDelivery(sender: Planted) {
  const { call, gateway, things } = sender;
  const { path } = await newEndpoint(sender);
  await succeed(call("POST", `/endpoints/${path.id}/pause`));
  const id = await recordDelivery(gateway, { endpoint: path.id, event: things.event });
  return { request: { path: { id } }, endpoint: path.id };
}

/** One that a request may end. */
async function newReplay(sender: Planted) {
  const { path } = await newEndpoint(sender);
  const body = { status: "dead" };
  const replay = await succeed(sender.call("POST", `/endpoints/${path.id}/replays`, { body }));
  return { path: { id: String(replay["id"]) } };
}

/** One that a request may end. */
async function newTenant({ createTenant }: TestGateway): Promise<{ tenant: string }> {
  return { tenant: await createTenant(`brief-${unique()}`) };
}

/** An event that has been appended under its key. */
async function repeatedEvent({ call }: Planted) {
  const body = { ...event, key: unique() };
  await succeed(call("POST", "/events", { body }));
  return { body };
}

/** A full page, and the validator that it came with. */
async function knownPage({ call, things }: Planted): Promise<Request> {
  const query = { cursor: things.cursor, limit: "1" };
  const page = await call("GET", `/events?${new URLSearchParams(query).toString()}`);
  return { query, headers: { "if-none-match": page.headers.get("etag") ?? "" } };
}

async function cursorOfAnotherFilter({ call }: Planted): Promise<Request> {
  const page = await succeed(call("GET", "/events?types=order.*"));
  return { query: { cursor: String(page["cursor"]) } };
}

function ofNoEndpoint(): Request {
  return { query: { endpoint: `ep_${unique()}${unique()}` } };
}

function unique(): string {
  return randomBytes(8).toString("hex");
}
