/**
 * Goal: whatever is sent to whichever operation, nothing breaks. The answer is a success or a
 * problem of the caller's, as openapi.yaml has it; no value becomes a header; nothing is logged as
 * an error, and the gateway goes on serving.
 *
 * Method: for each operation of openapi.yaml take a valid request (test/support/cases.ts), put
 * hostile values into some of its places (path, query, headers, members of the body as the schema
 * names them, the bytes of the body) and send it over a socket of its own. A new operation is
 * covered as soon as it has its case. `FUZZ_SECONDS=60 npm test -- test/fuzz` runs for longer.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { cases } from "../support/cases.ts";
import { checkAnswer } from "../support/contract.ts";
import type { Request } from "../support/exercise.ts";
import { holds, timeoutMs, watchLog } from "../support/fuzz.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { hostileHeader, hostileJson, hostileParameter, hostileText } from "../support/hostile.ts";
import { openApi, type Operation } from "../support/openapi.ts";
import { plant, type Planted } from "../support/planted.ts";
import { exchange, type RawAnswer } from "../support/raw-http.ts";
import { bodyPointers, exampleRequests, toBytes, type Change } from "../support/mutate.ts";

const runsPerOperation = 40;

const log = watchLog();
let gateway: TestGateway;
let port: number;

beforeAll(async () => {
  // Without the push role: endpoints that are made here would be sent all that is appended here.
  const environment = { TIDEGATE_ROLES: "api", LOG_LEVEL: "debug" };
  gateway = await startTestGateway(environment, log.destination);
  port = Number(new URL(gateway.url).port);
});
afterAll(() => gateway?.stop());

afterEach(async () => {
  expect(log.faults.splice(0)).toEqual([]);
  const { status } = await gateway.call("GET", "/readyz", { key: null });
  expect(status).toBe(200);
});

const mediaTypes = [
  ...["application/json; charset=utf-16", 'application/json; charset="', "APPLICATION/JSON", ";"],
  ...["application/merge-patch+json", "application/x-ndjson", "application/cloudevents+json"],
  ...["application/cloudevents-batch+json", "text/plain", "multipart/form-data; boundary=x", ""],
  ...["application/json, text/html", "application/x-www-form-urlencoded", "image/png"],
];

const headerNames = [
  ...["accept", "authorization", "idempotency-key", "last-event-id", "if-none-match", "prefer"],
  ...["origin", "host", "connection", "content-encoding", "content-type", "cookie", "expect"],
  ...["access-control-request-method", "upgrade", "range", "traceparent", "x-forwarded-for"],
  ...[
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-ext",
    "ce-__proto__",
  ],
  ...["__proto__", "constructor", "x-http-method-override"],
];

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("path"), value: hostileParameter }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("query"), at: fc.nat(), value: hostileParameter }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("query name"),
      name: hostileParameter,
      value: hostileParameter,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("header"),
      name: fc.constantFrom(...headerNames),
      value: hostileHeader,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("header"),
      name: fc.constant("content-type"),
      value: fc.constantFrom(...mediaTypes),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("member"), at: fc.nat(), value: hostileJson }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("member beside"),
      at: fc.nat(),
      name: hostileText,
      value: hostileJson,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("repeated"), at: fc.nat(), value: hostileJson }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("body"), value: hostileJson }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("bytes"),
      at: fc.nat(),
      bytes: fc.uint8Array({ maxLength: 4 }),
    }),
  },
);

const callers = ["own", "own", "own", "own", "operator", "operator", "nobody"] as const;

type Attempt = {
  /** Which of the operation's valid requests is changed. */
  readonly sample: number;
  readonly caller: (typeof callers)[number];
  readonly changes: readonly Change[];
};

const attempt: fc.Arbitrary<Attempt> = fc.record({
  sample: fc.nat(),
  caller: fc.constantFrom(...callers),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
});

/** What has been found to break something, for every operation. */
const found: Attempt[] = [
  {
    sample: 0,
    caller: "operator",
    changes: [{ kind: "query name", name: "tenant", value: "%00" }],
  },
  { sample: 0, caller: "own", changes: [{ kind: "path", value: "%00" }] },
];

const named = openApi().operations.map((operation) => [operation.id, operation] as const);

describe.each(named)("%s", (id, operation) => {
  test("answers anything with a success or a problem", { timeout: timeoutMs }, async () => {
    const { samples = [] } = cases[id] ?? {};
    const sender = await plant(gateway, "fuzz", "http://127.0.0.1:1/hook");
    const pointers = bodyPointers(operation);
    const examples = exampleRequests(operation).map((example) => ofTenant(example, sender));
    await holds(attempt, runsPerOperation, tryOut, found);

    async function tryOut({ sample, caller, changes }: Attempt): Promise<void> {
      const at = sample % (samples.length + examples.length);
      const request = (await (samples[at] ?? samples[0])?.build(sender)) ?? {};
      const example = examples[at - samples.length];
      const key = keyOf(caller, operation, sender);
      const bytes = toBytes(operation, withKey({ ...request, ...example }, key), changes, pointers);
      check(operation, await exchange(port, bytes, operation), bytes);
    }
  });
});

/** Examples are about a tenant that there is not. */
function ofTenant(example: Request, { name }: Planted): Request {
  return JSON.parse(JSON.stringify(example).replaceAll(/\bacme\b/g, name)) as Request;
}

function keyOf(caller: (typeof callers)[number], { access }: Operation, sender: Planted) {
  if (caller === "nobody") return undefined;
  return caller === "operator" || access === "operator" ? gateway.operatorKey : sender.key;
}

function withKey(request: Request, key: string | undefined): Request {
  if (key === undefined) return request;
  return { ...request, headers: { authorization: `Bearer ${key}`, ...request.headers } };
}

function check({ method, access }: Operation, answer: RawAnswer | undefined, sent: Buffer): void {
  if (answer === undefined) throw new Error("no answer");
  const { status, headers, body } = answer;
  const text = body.toString();
  for (const [name] of headers) expect(name).toMatch(/^[a-z-]+$/);
  expect(headers.map(([name]) => name)).not.toContain("x-forged");
  expect([status, text]).toEqual([expect.toSatisfy(isTheirs), text]);
  if (status >= 400) {
    const type = headers.find(([name]) => name === "content-type")?.[1];
    expect(type).toBe("application/problem+json");
    expect(JSON.parse(text)).toMatchObject({ status, type: expect.stringMatching(/^https:/) });
  }
  // Of one event among others: a fault of ours, or what should have been refused before. What is
  // public is the document, which tells of all problems.
  const isFault = /problems\/internal-error|the database cannot store/.test(text);
  expect([access !== "public" && isFault, text]).toEqual([false, text]);
  expect(text.split(/[\r\n]/)).not.toContain("data: forged");
  const [, target = "/"] = /^\S+ (\S*) HTTP/.exec(sent.toString("latin1")) ?? [];
  const url = `${gateway.url}${target}`;
  if (!target.startsWith("/") || !URL.canParse(url)) return;
  const given = new Headers(headers.map(([name, value]) => [name, value]));
  const rest = checkAnswer({ method, url, status, headers: given, isWhole: true });
  if (rest.kind !== "none") rest.check(text);
}

/** A success, or a fault of the caller's. */
function isTheirs(status: number): boolean {
  return (status >= 200 && status < 300) || status === 304 || (status >= 400 && status < 500);
}
