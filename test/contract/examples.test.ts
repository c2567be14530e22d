/**
 * The examples in openapi.yaml are real: each request that they make up is sent to a gateway and
 * succeeds, and each answer that they show is one that its schema allows. What the gateway names
 * itself is in the examples by a made-up id; a thing made for the test stands in for it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cursorExample } from "../../src/http/schemas.ts";
import { recordDelivery } from "../support/deliveries.ts";
import { createBlockCheck } from "../support/event-stream.ts";
import { send, type Request } from "../support/exercise.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { openApi, type Content, type Operation, type Schema } from "../support/openapi.ts";

const api = openApi();

let gateway: TestGateway;

beforeAll(async () => {
  // Nobody answers where the examples' endpoints lead to.
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api" });
  // Whatever the examples call by a name, an example puts there.
  const puts = api.operations.filter(({ method }) => method === "PUT");
  for (const operation of puts) {
    for (const request of requestsOf(operation)) await succeed(execute(operation, request));
  }
  await succeed(gateway.call("POST", "/events", { body: exampleOf("NewEvent") }));
});

afterAll(() => gateway?.stop());

/** By the prefix of the id: what is made for a request to name, since it may use that up. */
const standIns: Readonly<Record<string, () => Promise<unknown>>> = {
  dlv: async () => {
    const endpoint = String((await create("/endpoints", exampleOf("NewEndpoint")))["id"]);
    const event = String((await create("/events", exampleOf("NewEvent")))["id"]);
    return recordDelivery(gateway, { endpoint, event });
  },
  ep: async () => (await create("/endpoints", exampleOf("NewEndpoint")))["id"],
  key: async () => (await create("/keys", exampleOf("NewKey")))["id"],
  rpl: async () => {
    const endpoint = String((await create("/endpoints", exampleOf("NewEndpoint")))["id"]);
    return (await create(`/endpoints/${endpoint}/replays`, { status: "dead" }))["id"];
  },
  evt: async () => (await create("/events", exampleOf("NewEvent")))["id"],
};

/** That of a page, in place of the made-up one. */
async function cursorOfPage(): Promise<unknown> {
  const page = await succeed(gateway.call("GET", "/consumers/warehouse/events?tenant=acme"));
  return page["cursor"];
}

/** What is taken away is taken away last, tenants after what they have. */
const order = ["PUT", "POST", "GET", "PATCH", "DELETE"];
const inOrder = api.operations.toSorted((a, b) => {
  const byMethod = order.indexOf(a.method) - order.indexOf(b.method);
  return byMethod || Number(a.path.startsWith("/tenants")) - Number(b.path.startsWith("/tenants"));
});

describe.each(inOrder.map((operation) => [operation.id, operation] as const))(
  "%s",
  (_, operation) => {
    test("does what its example asks for", async () => {
      for (const request of requestsOf(operation)) {
        const { status, text } = await execute(operation, request);
        expect([status, text]).toEqual([expect.toSatisfy(isSuccess), text]);
        expect(Object.keys(operation.responses)).toContain(String(status));
        // Of a batch each event has a result of its own.
        if (operation.requestBody !== undefined) expect(text).not.toContain("/problems/");
      }
    });

    test("shows answers that its schemas allow", () => {
      for (const { what, type, schema } of answersOf(operation)) {
        const examples = examplesIn(schema);
        expect(examples, `${what} has no example`).not.toEqual([]);
        for (const example of examples) {
          expect([example, api.faults(schema, example)]).toEqual([example, []]);
          if (type === "text/event-stream") checkBlocks(String(example));
        }
      }
    });
  },
);

function isSuccess(status: number): boolean {
  return status < 300;
}

/** A request for each example of its body, with the examples of all its parameters. */
function requestsOf(operation: Operation): Request[] {
  const examples = operation.parameters.map(({ name, in: where, required, schema }) => {
    const [example] = examplesIn(schema);
    if (required === true) expect(example, `${name} has no example`).toBeDefined();
    return { name, where, example };
  });
  const given = (place: string) =>
    Object.fromEntries(
      examples.flatMap(({ name, where, example }) =>
        where === place && example !== undefined ? [[name, textOf(example)]] : [],
      ),
    );
  const parameters = { path: given("path"), query: given("query") };
  const content = Object.entries(operation.requestBody?.content ?? {});
  const bodies = content.flatMap(([type, { schema }]) => {
    const found = examplesIn(schema);
    expect(found, `${operation.id}: ${type} has no example`).not.toEqual([]);
    return found.map((body) => ({ body, headers: { "content-type": type } }));
  });
  return bodies.length === 0 ? [parameters] : bodies.map((body) => ({ ...parameters, ...body }));
}

async function execute(operation: Operation, request: Request) {
  return send(gateway, operation, (await withStandIns(request)) as Request);
}

/** The same with a real id in place of each that an example makes up. */
async function withStandIns(node: unknown): Promise<unknown> {
  if (node === cursorExample) return cursorOfPage();
  if (typeof node === "string") {
    const [prefix = "", rest] = node.split("_", 2);
    const standIn = rest === undefined ? undefined : standIns[prefix];
    return standIn === undefined ? node : await standIn();
  }
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(async ([key, value]) => [
    key,
    await withStandIns(value),
  ]);
  const replaced = await Promise.all(entries);
  return Array.isArray(node)
    ? replaced.map(([, value]: unknown[]) => value)
    : (Object.fromEntries(replaced) as unknown);
}

type ShownAnswer = { what: string; type: string; schema: Schema };

function answersOf({ id, responses }: Operation): ShownAnswer[] {
  return Object.entries(responses)
    .filter(([status]) => isSuccess(Number(status)))
    .flatMap(([status, { content = {} }]: [string, { content?: Content }]) =>
      Object.entries(content).map(([type, { schema }]) => {
        return { what: `${id} ${status} ${type}`, type, schema };
      }),
    );
}

/** The examples of a schema: its own, or one of every form that it may have. */
function examplesIn(given: Schema): unknown[] {
  const schema = resolved(given);
  if (schema["example"] !== undefined) return [schema["example"]];
  if (Array.isArray(schema["examples"])) return schema["examples"] as unknown[];
  const forms = (schema["anyOf"] ?? schema["oneOf"] ?? []) as Schema[];
  const examples = forms.map(examplesIn);
  return examples.some((found) => found.length === 0) ? [] : examples.flat();
}

function exampleOf(name: string): unknown {
  const [example] = examplesIn({ $ref: `#/components/schemas/${name}` });
  return example;
}

function resolved(schema: Schema): Schema {
  const name = String(schema["$ref"]).split("/").at(-1) ?? "";
  return schema["$ref"] === undefined ? schema : (api.document.components.schemas[name] ?? {});
}

function create(path: string, body: unknown): Promise<Record<string, unknown>> {
  return succeed(gateway.call("POST", path, { body }));
}

function textOf(example: unknown): string {
  return typeof example === "string" ? example : JSON.stringify(example);
}

function checkBlocks(text: string): void {
  const any = (): void => undefined;
  createBlockCheck({ event: any, problem: any })(text);
}
