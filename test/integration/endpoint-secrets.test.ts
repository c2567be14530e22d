/** Secrets are replaced while pushes go on, and no receiver has to miss one for it. */
import { createPublicKey, verify } from "node:crypto";
import { Writable } from "node:stream";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { generateSecret } from "../../src/deliveries/secrets.ts";
import { createClient, type Client } from "../support/client.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startReceiver, type Received, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Rotated = { secret: string; signature: string; previous_expires_at: string };

let gateway: TestGateway;
let client: Client;
let database: Database;
/** All that the gateway logs. */
let logged = "";

beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString();
      done();
    },
  });
  gateway = await startTestGateway({ LOG_LEVEL: "trace" }, destination);
  client = createClient(gateway.url, gateway.operatorKey);
  database = openDatabase(gateway.databaseUrl, { connections: 2, name: "test" });
});

afterAll(async () => {
  await database?.stop();
  await gateway?.stop();
});

describe.concurrent("a rotation", () => {
  test("is noticed by no receiver that takes the new secret in time", async () => {
    await using receiver = await startReceiver();
    const { id, secret: first } = await created("v1", receiver);
    const before = await nextPush("v1", receiver);
    expect(signaturesOf(before)).toHaveLength(1);
    expect(verifies(first, before)).toBe(true);

    const second = await rotated(id, { overlap_seconds: 5 });
    expect(second.secret).not.toBe(first);
    expect(await client.expectOk("GET", `/endpoints/${id}/secret`)).toEqual({
      secret: second.secret,
      previous_expires_at: second.previous_expires_at,
    });
    const during = await nextPush("v1", receiver);
    expect(signaturesOf(during)).toHaveLength(2);
    expect([first, second.secret].map((secret) => verifies(secret, during))).toEqual([true, true]);

    const after = await pushAfterOverlap("v1", receiver, second);
    expect([first, second.secret].map((secret) => verifies(secret, after))).toEqual([false, true]);
    expect(await client.expectOk("GET", `/endpoints/${id}/secret`)).toEqual({
      secret: second.secret,
      previous_expires_at: null,
    });
  });

  test("may change the kind, and receivers verify with either meanwhile", async () => {
    await using receiver = await startReceiver();
    const { id, secret: first } = await created("kinds", receiver);
    const second = await rotated(id, { overlap_seconds: 5, signature: "v1a" });
    expect(second).toMatchObject({ signature: "v1a", secret: expect.stringMatching(/^whpk_/) });
    expect(await client.endpoint(id)).toMatchObject({ signature: "v1a" });
    const during = await nextPush("kinds", receiver);
    expect(signaturesOf(during).map((text) => text.split(",")[0])).toEqual(["v1a", "v1"]);
    expect([first, second.secret].map((secret) => verifies(secret, during))).toEqual([true, true]);
    const after = await pushAfterOverlap("kinds", receiver, second);
    expect([first, second.secret].map((secret) => verifies(secret, after))).toEqual([false, true]);

    const third = await rotated(id, { overlap_seconds: 60 });
    expect(third.signature).toBe("v1a");
    const last = await nextPush("kinds", receiver);
    expect(signaturesOf(last)).toHaveLength(2);
    expect([second, third].map(({ secret }) => verifies(secret, last))).toEqual([true, true]);
  });

  test("without an overlap ends what had leaked, at once", async () => {
    await using receiver = await startReceiver();
    const { id, secret: first } = await created("leaked", receiver);
    const second = await rotated(id, {});
    const untilTomorrow = Date.parse(second.previous_expires_at) - Date.now();
    expect(untilTomorrow).toBeGreaterThan(86_300_000);
    const third = await rotated(id, { overlap_seconds: 0 });
    const push = await nextPush("leaked", receiver);
    expect(signaturesOf(push)).toHaveLength(1);
    const secrets = [first, second.secret, third.secret];
    expect(secrets.map((secret) => verifies(secret, push))).toEqual([false, false, true]);
  });

  test("takes a secret of one's own if it is of the kind, and keeps five at most", async () => {
    await using receiver = await startReceiver();
    const { id } = await created("own", receiver);
    const path = `/endpoints/${id}/rotate-secret`;
    for (const body of [
      { secret: generateSecret("v1a") },
      { secret: generateSecret("v1"), signature: "v1a" },
      { secret: "whsec_short" },
    ]) {
      const { status, json } = await client.call("POST", path, body);
      expect([status, json["errors"]]).toMatchObject([422, [{ pointer: "/secret" }]]);
    }
    const secrets = Array.from({ length: 7 }, () => generateSecret());
    for (const secret of secrets) expect((await rotated(id, { secret })).secret).toBe(secret);
    const push = await nextPush("own", receiver);
    expect(signaturesOf(push)).toHaveLength(5);
    expect(secrets.map((secret) => verifies(secret, push))).toEqual([
      ...[false, false],
      ...[true, true, true, true, true],
    ]);
  });

  test("at the same time as others loses none of the secrets it answered with", async () => {
    await using receiver = await startReceiver();
    const { id } = await created("at-once", receiver);
    const answers = await Promise.all(Array.from({ length: 4 }, () => rotated(id, {})));
    const push = await nextPush("at-once", receiver);
    expect(answers.map(({ secret }) => verifies(secret, push))).toEqual([true, true, true, true]);
  });
});

test("no secret stands in the database or in the log", async () => {
  await using receiver = await startReceiver();
  const own = [generateSecret("v1"), generateSecret("v1a")] as const;
  const { id, secret } = await created("sealed", receiver);
  await rotated(id, { secret: own[0] });
  await rotated(id, { secret: own[1], signature: "v1a" });
  await nextPush("sealed", receiver);
  const rows = await database.sql<{ row: string }[]>`select e::text as row from endpoints e`;
  const places = [logged, ...rows.map(({ row }) => row)];
  for (const text of [secret, ...own]) {
    const [, bytes = ""] = text.split("_");
    const forms = [
      bytes,
      Buffer.from(bytes).toString("hex"),
      Buffer.from(bytes, "base64").toString("hex"),
    ];
    for (const form of forms) expect(places.filter((place) => place.includes(form))).toEqual([]);
  }
  expect(logged).toContain(id);
});

async function created(tenant: string, receiver: Receiver) {
  await client.tenant(tenant);
  return client.createEndpoint(tenant, { url: receiver.url });
}

async function rotated(id: string, body: object): Promise<Rotated> {
  return (await client.expectOk("POST", `/endpoints/${id}/rotate-secret`, body)) as Rotated;
}

/** The push of an event that is appended now. */
async function nextPush(tenant: string, receiver: Receiver): Promise<Received> {
  const event = await client.append(tenant, {});
  return waitUntil(() =>
    receiver.requests.find(({ headers }) => headers["webhook-id"] === event.id),
  );
}

/** The lane that sends it was opened during the overlap. */
async function pushAfterOverlap(
  tenant: string,
  receiver: Receiver,
  { previous_expires_at }: Rotated,
): Promise<Received> {
  const isOver = () => Date.now() > Date.parse(previous_expires_at) + 1_000;
  await waitUntil(isOver, { deadlineMs: 10_000, what: "the end of the overlap" });
  const push = await nextPush(tenant, receiver);
  expect(signaturesOf(push)).toHaveLength(1);
  return push;
}

function signaturesOf({ headers }: Received): string[] {
  return String(headers["webhook-signature"]).split(" ");
}

function verifies(secret: string, push: Received): boolean {
  return secret.startsWith("whpk_") ? verifiesV1a(secret, push) : verifiesV1(secret, push);
}

function verifiesV1(secret: string, { body, headers }: Received): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

/** The library knows only symmetric secrets. */
function verifiesV1a(secret: string, push: Received): boolean {
  const { body, headers } = push;
  const x = Buffer.from(secret.slice("whpk_".length), "base64").toString("base64url");
  const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
  const start = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.`;
  const signed = Buffer.concat([Buffer.from(start), body]);
  return signaturesOf(push).some((text) => {
    const [kind, signature = ""] = text.split(",");
    return kind === "v1a" && verify(null, signed, key, Buffer.from(signature, "base64"));
  });
}
