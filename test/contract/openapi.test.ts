/**
 * openapi.yaml is what the gateway serves, and all of it is true: each operation gives every
 * success and every problem that the document names for it. That each answer has the form that
 * the document gives it is checked for every test alike, see test/support/contract-setup.ts.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problems, type ProblemSlug } from "../../src/problem.ts";
import { cases, type Build } from "../support/cases.ts";
import { placesOf, send, withValue, type Request } from "../support/exercise.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { openApi, type Operation, type Parameter, type Schema } from "../support/openapi.ts";
import { plant, type Planted } from "../support/planted.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";

/** Provoked where their causes are tested: they take a fault, or a log that has lost events. */
const provokedElsewhere: readonly ProblemSlug[] = [
  ...(["internal-error", "unavailable", "request-timeout"] as const),
  ...(["cursor-expired", "cursor-ahead", "feed-reset"] as const),
];

/** More than a body of JSON, or an event's `data`, may have. */
const tooManyBytes = (1 << 20) + 1;

const api = openApi();

let receiver: Receiver;
let gateway: TestGateway;
let sender: Planted;

beforeAll(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway();
  sender = await plant(gateway, "sender", receiver.url);
});

afterAll(async () => {
  await gateway?.stop();
  await receiver?.stop();
});

describe("the document", () => {
  test("is served as it stands in the repository", async () => {
    const yaml = await gateway.call("GET", "/openapi.yaml", { key: null });
    expect(yaml.text).toBe(api.text);
    const json = await gateway.call("GET", "/openapi.json", { key: null });
    expect(json.json).toEqual(api.document);
  });

  test("gives each operation a name of its own and a tag that is listed", () => {
    const ids = api.operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = api.document.tags.map(({ name }) => name);
    for (const tag of tags) expect(tag).toMatch(/^[a-z][a-z-]*$/);
    for (const operation of api.operations) {
      expect(operation.tags).toHaveLength(1);
      expect(tags).toContain(operation.tags[0]);
    }
  });

  test("has examples and defaults that its schemas allow", () => {
    const given = [...valuesGiven(api.document)];
    expect(given.length).toBeGreaterThan(10);
    for (const { schema, value } of given)
      expect([value, api.faults(schema, value)]).toEqual([value, []]);
  });

  test("is exercised whole: every operation has its case", () => {
    const without = api.operations.filter(({ id }) => cases[id] === undefined);
    expect(
      without.map(({ id }) => id),
      "add them to test/support/cases.ts",
    ).toEqual([]);
  });
});

const named = api.operations.map((operation) => [operation.id, operation] as const);

describe.each(named)("%s", (_, operation) => {
  const { samples = [], problems: ownProblems = {} } = cases[operation.id] ?? {};

  test("gives every success that the document names", async () => {
    const seen = new Set<string>();
    for (const { status, build } of samples) {
      const key = operation.access === "operator" ? gateway.operatorKey : sender.key;
      const answer = await send(gateway, operation, await build(sender), key);
      expect([answer.status, answer.text]).toEqual([status, answer.text]);
      // Without its parameters, such as a version, which the document does not name.
      const mediaType = answer.headers.get("content-type")?.split(";")[0];
      seen.add(`${status} ${mediaType ?? "without a body"}`);
    }
    expect([...seen].toSorted()).toEqual(successesOf(operation).toSorted());
  });

  const slugs = problemsOf(operation).filter((slug) => !provokedElsewhere.includes(slug));
  test.each(slugs)("%s", async (slug) => {
    const request = (await samples[0]?.build(sender)) ?? {};
    const given = { operation, request, own: ownProblems[slug] };
    const provoked = await provocation(slug, given);
    if (provoked === "impossible") return;
    if (provoked === undefined) {
      throw new Error(`say in test/support/cases.ts how ${operation.id} comes to answer ${slug}`);
    }
    let answer = await send(gateway, operation, provoked.request, provoked.key);
    for (let left = provoked.repeats ?? 0; left > 0 && answer.slug !== slug; left -= 1) {
      answer = await send(gateway, operation, provoked.request, provoked.key);
    }
    expect([answer.status, answer.slug]).toEqual([problems[slug].status, slug]);
  });
});

type Given = { operation: Operation; request: Request; own: Build | undefined };

type Provoked = { request: Request; key: string | null; repeats?: number };

/** How to provoke a problem: as the case says, or as follows from the form of the operation. */
async function provocation(
  slug: ProblemSlug,
  { operation, request, own }: Given,
): Promise<Provoked | "impossible" | undefined> {
  const { operatorKey } = gateway;
  const key = operation.access === "operator" ? operatorKey : sender.key;
  if (own !== undefined) return { request: await own(sender), key };
  const ofQuery = operation.parameters.filter((parameter) => parameter.in === "query");
  const textOfQuery = (text: string) => ({ request: { ...request, query: text }, key });
  const withBody = (body: unknown) => ({ request: { ...request, body }, key });
  switch (slug) {
    case "unauthorized":
      return { request, key: null };
    case "scope-missing":
      return {
        request,
        key: await sender.keyWith([operation.access === "append" ? "read" : "append"]),
      };
    case "unknown-parameter":
      return textOfQuery("no_such_parameter=1");
    case "duplicate-parameter": {
      const [first] = ofQuery;
      return first === undefined ? "impossible" : textOfQuery(`${first.name}=1&${first.name}=1`);
    }
    case "invalid-parameter":
      return withInvalidParameter(operation, request, key);
    case "tenant-required":
      return { request, key: operatorKey };
    case "unknown-tenant":
      return { request: namingTenant(operation, request, "nobody"), key: operatorKey };
    case "quota-exceeded":
      return {
        request: namingTenant(operation, request, await narrowTenant()),
        key: operatorKey,
        repeats: 10,
      };
    case "tenant-erasing":
      return {
        request: namingTenant(operation, request, await erasingTenant()),
        key: operatorKey,
      };
    case "not-found":
      return { request: { ...request, path: mapValues(request.path, anotherId) }, key };
    case "cursor-invalid":
      return withCursor(operation, request, key);
    case "malformed-json":
      return withBody("{");
    case "invalid":
      return withBody({ no_such_member: 1 });
    case "unsupported-media-type":
      return { request: { ...request, headers: { "content-type": "text/csv" } }, key };
    case "payload-too-large":
      return withBody({ ...(request.body as object), data: "x".repeat(tooManyBytes) });
    default:
      return undefined;
  }
}

/** A value that fits no schema but free text. */
function withInvalidParameter(operation: Operation, request: Request, key: string) {
  const refusing = operation.parameters.filter(
    ({ name, in: where, schema }) =>
      // A tenant is looked up, whatever it is called.
      (where === "path" || name !== "tenant") && api.faults(schema, "!").length > 0,
  );
  const [found] = refusing;
  if (found === undefined) return "impossible";
  return { request: withParameter(request, found, "!"), key };
}

function withParameter(request: Request, { in: where, name }: Parameter, value: string): Request {
  return { ...request, [where]: { ...(request[where] as object | undefined), [name]: value } };
}

function namingTenant(operation: Operation, request: Request, name: string): Request {
  const tenant = operation.parameters.find((parameter) => parameter.name === "tenant");
  return tenant === undefined ? request : withParameter(request, tenant, name);
}

/** All that is limited may be done once, or once a second. */
async function narrowTenant(): Promise<string> {
  const name = `narrow-${randomBytes(8).toString("hex")}`;
  const limits = { appends_per_second: 1, reads_per_second: 1, endpoints: 1 };
  await succeed(gateway.call("PUT", `/tenants/${name}`, { body: { limits } }));
  await gateway.append(name, {});
  return name;
}

/** It stays so for some seconds. */
async function erasingTenant(): Promise<string> {
  const name = await gateway.createTenant(`erasing-${randomBytes(8).toString("hex")}`);
  await succeed(gateway.call("DELETE", `/tenants/${name}`));
  return name;
}

/** One of the same form. */
function anotherId(id: string): string {
  return id.slice(0, -1) + (id.endsWith("0") ? "1" : "0");
}

function mapValues(path: Request["path"], change: (value: string) => string) {
  const entries = Object.entries(path ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)]));
}

function withCursor(operation: Operation, request: Request, key: string) {
  const place = placesOf(operation, request.body).find(({ names }) => names === "cursor");
  return place && { request: withValue(request, place, "x".repeat(64)), key };
}

function successesOf({ responses }: Operation): string[] {
  return Object.entries(responses).flatMap(([status, { content = { "without a body": {} } }]) =>
    Number(status) < 400 ? Object.keys(content).map((type) => `${status} ${type}`) : [],
  );
}

function problemsOf({ responses }: Operation): ProblemSlug[] {
  const { schemas } = api.document.components;
  const names = JSON.stringify(responses).match(/(?<=#\/components\/schemas\/)\w+Problem/g) ?? [];
  const types = [...new Set(names)].map((name) => JSON.stringify(schemas[name]?.["properties"]));
  return types.map((type) => /problems\/([a-z-]+)/.exec(type)?.[1] as ProblemSlug);
}

type ValueGiven = { schema: Schema; value: unknown };

/** Every example and default, with the schema it stands in. */
function* valuesGiven(node: unknown): Generator<ValueGiven> {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === "example" || key === "default") yield { schema: node as Schema, value };
    else if (key === "examples")
      for (const one of Object.values(value as object))
        yield { schema: node as Schema, value: one };
    else yield* valuesGiven(value);
  }
}
