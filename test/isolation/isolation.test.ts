/**
 * No request shows or changes anything of another tenant, and none succeeds without the key and
 * the scope for it. The tests follow from openapi.yaml: for each operation, and for each place at
 * which it can name something of a tenant, the request is made as somebody who may not. The same
 * request then succeeds for whoever may, so none was refused for being wrong in itself.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scopes, type Scope } from "../../src/http/auth.ts";
import { cases, type Sample } from "../support/cases.ts";
import {
  allPlacesOf,
  placesOf,
  send,
  withValue,
  type Place,
  type Request,
} from "../support/exercise.ts";
import { startTestGateway, succeed, type Answer, type TestGateway } from "../support/gateway.ts";
import { openApi, type Operation } from "../support/openapi.ts";
import { plant, type Planted, type Thing } from "../support/planted.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** As the contract has it, and not as the code does. */
const grantedBy: Readonly<Record<Scope, readonly Scope[]>> = {
  append: ["append", "manage"],
  read: ["read", "receive", "manage"],
  receive: ["receive", "manage"],
  manage: ["manage"],
};

/** Long against a request, short against a test. */
const keyLifetimeMs = 300;

const { operations } = openApi();

let receiver: Receiver;
let gateway: TestGateway;
let owner: Planted;
let stranger: Planted;
let invalidKeys: Record<string, string | null>;

beforeAll(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway();
  owner = await plant(gateway, "owner", receiver.url);
  stranger = await plant(gateway, "stranger", receiver.url);
  invalidKeys = {
    missing: null,
    wrong: `${owner.key}x`,
    expired: await expiredKey(),
    revoked: await revokedKey(),
  };
});

afterAll(async () => {
  await gateway?.stop();
  await receiver?.stop();
});

test("every operation has its case, and every case its operation", () => {
  const ids = operations.map(({ id }) => id);
  const without = ids.filter((id) => cases[id] === undefined);
  expect(without, "add a case for each of these to test/support/cases.ts").toEqual([]);
  expect(Object.keys(cases).filter((id) => !ids.includes(id))).toEqual([]);
});

test("every place that can name something is reached by a case", async () => {
  for (const operation of operations) {
    const reached = new Set<string>();
    for (const { build } of cases[operation.id]?.samples ?? []) {
      const { body } = await build(owner);
      for (const { name } of placesOf(operation, body)) reached.add(name);
    }
    const missed = allPlacesOf(operation).filter(({ name }) => !reached.has(name));
    expect(missed, `${operation.id} needs a sample of the form that has these`).toEqual([]);
    if (operation.tenant === undefined) continue;
    expect([...reached], `${operation.id} takes a tenant`).toContain("tenant");
  }
});

describe.each(named(({ access }) => access === "public"))("%s", (_, operation) => {
  test.each(samplesOf(operation))("answers $status to anybody and shows no tenant", async (one) => {
    const answer = await send(gateway, operation, await one.build(owner), null);
    expect(answer.status).toBe(one.status);
    expectNothingOf(owner, answer, {});
  });
});

describe.each(named(({ access }) => access !== "public"))("%s", (_, operation) => {
  describe.each(samplesOf(operation))("answering $status ($number)", (sample) => {
    test("needs a valid key", async () => {
      const request = await sample.build(owner);
      for (const [kind, key] of Object.entries(invalidKeys)) {
        const answer = await send(gateway, operation, request, key);
        expect([kind, answer.status, answer.slug]).toEqual([kind, 401, "unauthorized"]);
        expectNothingOf(owner, answer, request);
      }
    });

    test("needs the scope, and no more", async () => {
      const request = await sample.build(owner);
      const lacking = scopes.filter((scope) => !grants(operation, scope));
      const refused = await send(gateway, operation, request, await owner.keyWith(lacking));
      expect([refused.status, refused.slug]).toEqual([403, "scope-missing"]);
      expectNothingOf(owner, refused, request);
      const keys = scopes.filter((scope) => grants(operation, scope)).map((one) => [one]);
      for (const key of await Promise.all(keys.map(owner.keyWith))) {
        await expectSuccess(operation, sample, await sample.build(owner), key);
      }
      if (operation.access === "operator") {
        await expectSuccess(operation, sample, request, gateway.operatorKey);
      }
    });

    if (operation.access !== "operator") describeStrangers(operation, sample);
  });
});

/** What somebody else's key, with every scope, can do with the owner's name and things. */
function describeStrangers(operation: Operation, sample: Sample): void {
  test("shows only one's own", async () => {
    for (const [one, other] of [
      [stranger, owner],
      [owner, stranger],
    ] as const) {
      const request = await sample.build(one);
      const answer = await expectSuccess(operation, sample, request, one.key);
      expectNothingOf(other, answer, request);
    }
  });

  test("does not take another tenant's name", async () => {
    const { body } = await sample.build(owner);
    for (const place of placesOf(operation, body).filter(({ names }) => names === "tenant")) {
      const foreign = withValue(await sample.build(stranger), place, owner.name);
      expect([place, refusalOf(await attempt(operation, foreign))]).toEqual([
        place,
        [404, "unknown-tenant"],
      ]);
      for (const key of [owner.key, gateway.operatorKey]) {
        const named = withValue(await sample.build(owner), place, owner.name);
        const answer = await expectSuccess(operation, sample, named, key);
        expect(refusalOf(answer)).toBeUndefined();
      }
    }
  });

  test("does not find what another tenant's id names", async () => {
    const request = await sample.build(owner);
    if (request.path === undefined || cases[operation.id]?.shared) return;
    if (cases[operation.id]?.makes) {
      // The stranger gets one of its own, and the owner's stays as it was.
      const refusal = refusalOf(await attempt(operation, request));
      expect([refusal, refusal === undefined || isCursorInvalid(refusal)]).toEqual([refusal, true]);
      await expectSuccess(operation, sample, request, owner.key);
      return;
    }
    expect(refusalOf(await attempt(operation, request))).toEqual([404, "not-found"]);
    if (operation.tenant !== undefined) {
      const named = { ...request, query: { tenant: stranger.name } };
      const answer = await attempt(operation, named, gateway.operatorKey);
      expect(refusalOf(answer)).toEqual([404, "not-found"]);
    }
    await expectSuccess(operation, sample, request, owner.key);
  });

  test("does not take another tenant's things", async () => {
    const { body } = await sample.build(owner);
    for (const place of [...placesOf(operation, body), ...headerPlaces(sample)]) {
      if (place.names === "tenant") continue;
      const value = await ownersValue(operation, sample, place.names);
      const foreign = withValue(await sample.build(stranger), place, value);
      // Not refused is as good: the attempt has shown and changed nothing of the owner.
      const refusal = refusalOf(await attempt(operation, foreign));
      const isRight = refusal === undefined || refusal[0] === 404 || isCursorInvalid(refusal);
      expect([place, refusal, isRight]).toEqual([place, refusal, true]);

      const own = withValue(await sample.build(owner), place, value);
      const answer = refusalOf(await send(gateway, operation, own, owner.key));
      // That the owner has used it for something else says that it was understood.
      const isKnown = answer === undefined || answer[1] === "idempotency-conflict";
      expect([place, answer, isKnown]).toEqual([place, answer, true]);
    }
  });
}

/** A request of the stranger's, or of whoever has `key`, that must leave the owner as it was. */
async function attempt(operation: Operation, request: Request, key = stranger.key) {
  const before = await owner.snapshot();
  const answer = await send(gateway, operation, request, key);
  expectNothingOf(owner, answer, request);
  expect(await owner.snapshot()).toEqual(before);
  return answer;
}

async function expectSuccess(
  operation: Operation,
  sample: Sample,
  request: Request,
  key: string,
): Promise<Answer> {
  const answer = await send(gateway, operation, request, key);
  expect([answer.status, answer.text]).toEqual([sample.status, answer.text]);
  return answer;
}

/** What the request itself said may come back. */
function expectNothingOf(tenant: Planted, { headers, text }: Answer, request: Request): void {
  const said = JSON.stringify(request);
  const shown = [...headers].join("\n") + text;
  const told = tenant.markers.filter((marker) => !said.includes(marker) && shown.includes(marker));
  expect(told, "shown of another tenant").toEqual([]);
}

/** Status and slug of a refusal, or of that of a batch's first item. */
function refusalOf({ status, slug, json }: Answer): [number, string | undefined] | undefined {
  if (status >= 400) return [status, slug];
  const results = json?.["results"] as { status: number; problem?: { type: string } }[] | undefined;
  const [first] = results ?? [];
  if (first?.problem === undefined) return undefined;
  return [first.status, first.problem.type.split("/").at(-1)];
}

function isCursorInvalid([status, slug]: [number, string | undefined]): boolean {
  return status === 400 && slug === "cursor-invalid";
}

/** A list's cursor comes from the list; any reader's would do for a feed. */
async function ownersValue(operation: Operation, sample: Sample, thing: Thing): Promise<string> {
  if (thing === "cursor" && operation.method === "GET") {
    const { json } = await send(gateway, operation, await sample.build(owner), owner.key);
    if (typeof json?.["cursor"] === "string") return json["cursor"];
  }
  return owner.things[thing];
}

function headerPlaces({ headers = {} }: Sample): Place[] {
  return Object.entries(headers).map(([name, names]) => ({ in: "header", name, names }));
}

function named(isWanted: (operation: Operation) => boolean): [string, Operation][] {
  return operations.filter(isWanted).map((operation) => [operation.id, operation]);
}

function samplesOf({ id }: Operation): (Sample & { number: number })[] {
  return (cases[id]?.samples ?? []).map((sample, index) => ({ ...sample, number: index + 1 }));
}

function grants({ access }: Operation, scope: Scope): boolean {
  return access !== "public" && access !== "operator" && grantedBy[access].includes(scope);
}

async function expiredKey(): Promise<string> {
  const expires_at = new Date(Date.now() + keyLifetimeMs).toISOString();
  const body = { scopes: [...scopes], expires_at };
  const key = String((await succeed(owner.call("POST", "/keys", { body })))["key"]);
  const isRefused = async () => (await owner.call("GET", "/keys", { key })).status === 401;
  await waitUntil(isRefused, { what: "the end of the key" });
  return key;
}

async function revokedKey(): Promise<string> {
  const created = await succeed(owner.call("POST", "/keys", { body: { scopes: [...scopes] } }));
  const key = String(created["key"]);
  // Used once, so that the directory remembers it.
  await succeed(owner.call("GET", "/keys", { key }));
  await succeed(owner.call("DELETE", `/keys/${String(created["id"])}`));
  return key;
}
