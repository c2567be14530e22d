/**
 * `verify` and `sign` of the library, against the gateway's own signer and against two verifiers
 * that others wrote; and with input that nobody should send.
 */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { sign, VerificationError, verify } from "../../src/client/client.ts";
import { signPlace, verifyPlace } from "../../src/client/verify.ts";
import { generateSecret, shownSecret } from "../../src/deliveries/secrets.ts";
import { createSigners } from "../../src/push/signature.ts";

const event = {
  specversion: "1.0",
  id: "evt_2026-11-23_6f1c2a520b7e4d7d4129b5a1c07",
  source: "/tenants/acme",
  type: "order.created",
  time: "2026-11-23T12:00:00.000Z",
  datacontenttype: "application/json",
  dataversion: "1",
  tenant: "acme",
  sequence: "00000000000000001042",
  data: { note: "Größe ✓" },
};
const body = JSON.stringify(event);
const now = Date.now();
const nowSeconds = Math.floor(now / 1_000);
const secret = generateSecret();

function pushed(secrets: readonly string[], text = body, id = event.id, seconds = nowSeconds) {
  const kept = secrets.map((each) => ({ secret: each, expiresAt: null }));
  return {
    "webhook-id": id,
    "webhook-timestamp": `${seconds}`,
    "webhook-signature": createSigners(kept).sign(id, seconds, Buffer.from(text)),
  };
}

async function reasonOf(verifying: Promise<unknown>): Promise<string> {
  const error: unknown = await verifying.then(
    () => new Error("it was accepted"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof VerificationError) return error.reason;
  throw error;
}

describe("verify", () => {
  test.each(["v1", "v1a"] as const)("accepts what the gateway signs as %s", async (version) => {
    const own = generateSecret(version);
    expect(await verify(shownSecret(own), pushed([own]), body)).toEqual(event);
  });

  test("takes headers and body in every form in which servers have them", async () => {
    const headers = pushed([secret]);
    const entries = Object.entries(headers);
    const forms = [
      headers,
      new Headers(headers),
      Object.fromEntries(entries.map(([name, value]) => [name.toUpperCase(), value])),
      Object.fromEntries(entries.map(([name, value]) => [name, [value]])),
    ];
    const bytes = new Uint8Array(Buffer.from(body));
    for (const form of forms) {
      for (const raw of [body, bytes, bytes.buffer, Buffer.from(body)]) {
        expect(await verify(secret, form, raw)).toEqual(event);
      }
    }
  });

  test("during a rotation accepts by any of the secrets and any of the signatures", async () => {
    const [older, newer, other] = [generateSecret(), generateSecret("v1a"), generateSecret()];
    const both = pushed([newer, older]);
    for (const known of [older, shownSecret(newer), [other, older], [other, shownSecret(newer)]]) {
      expect(await verify(known, both, body)).toEqual(event);
    }
    expect(await verify([older, shownSecret(newer)], pushed([older]), body)).toEqual(event);
    expect(await reasonOf(verify(other, both, body))).toBe("signature-mismatch");
  });

  test("accepts what other libraries sign, and they what this one signs", async () => {
    const at = new Date(nowSeconds * 1_000);
    for (const webhook of [new StandardWebhook(secret), new SvixWebhook(secret)]) {
      const headers = {
        "webhook-id": event.id,
        "webhook-timestamp": `${nowSeconds}`,
        "webhook-signature": webhook.sign(event.id, at, body),
      };
      expect(await verify(secret, headers, body)).toEqual(event);
      expect(webhook.verify(body, await sign(secret, event.id, body))).toEqual(event);
    }
  });

  test("a change of one byte, of the id or of the time is noticed", async () => {
    const headers = pushed([secret]);
    expect(await reasonOf(verify(secret, headers, `${body} `))).toBe("signature-mismatch");
    for (const change of [
      { "webhook-id": `${event.id}0` },
      { "webhook-timestamp": `${nowSeconds + 1}` },
    ]) {
      const changed = { ...headers, ...change };
      expect(await reasonOf(verify(secret, changed, body))).toBe("signature-mismatch");
    }
  });

  test.each([
    [-301, "too-old"],
    [-300, undefined],
    [300, undefined],
    [301, "too-new"],
  ])("a push signed %i s from now: %s", async (offset, reason) => {
    const headers = pushed([secret], body, event.id, nowSeconds + offset);
    const verifying = verify(secret, headers, body, { now: nowSeconds * 1_000 });
    if (reason === undefined) expect(await verifying).toEqual(event);
    else expect(await reasonOf(verifying)).toBe(reason);
  });

  test("the tolerance is the receiver's choice, and one that is no number accepts nothing", async () => {
    const headers = pushed([secret], body, event.id, nowSeconds - 10);
    const options = { now: new Date(nowSeconds * 1_000) };
    const within = (toleranceSeconds: number) =>
      verify(secret, headers, body, { ...options, toleranceSeconds });
    expect(await within(10)).toEqual(event);
    expect(await reasonOf(within(9))).toBe("too-old");
    expect(await reasonOf(within(Number.NaN))).toBe("too-old");
  });

  test.each([
    ["headers-missing", {}],
    ["headers-missing", { ...pushed([secret]), "webhook-id": undefined }],
    ["headers-missing", { ...pushed([secret]), "webhook-signature": ["v1,AA==", "v1,AA=="] }],
    ["headers-malformed", { ...pushed([secret]), "webhook-timestamp": `0${nowSeconds}` }],
    ["headers-malformed", { ...pushed([secret]), "webhook-timestamp": `${nowSeconds}.0` }],
    ["headers-malformed", { ...pushed([secret]), "webhook-signature": "v9,AAAA" }],
    ["headers-malformed", { ...pushed([secret]), "webhook-signature": "v1,AA== ".repeat(20) }],
    ["signature-mismatch", { ...pushed([secret]), "webhook-signature": "v1,AA==" }],
  ])("%s: headers like %j", async (reason, headers) => {
    expect(await reasonOf(verify(secret, headers, body))).toBe(reason);
  });

  test("a signed body that is no event of a gateway is refused, and so is another's id", async () => {
    const other = JSON.stringify({ ...event, id: "evt_2026-11-23_other" });
    expect(await reasonOf(verify(secret, pushed([secret], other), other))).toBe("id-mismatch");
    for (const text of ["", "{", "[]", "null", JSON.stringify({ ...event, sequence: 7 })]) {
      expect(await reasonOf(verify(secret, pushed([secret], text), text))).toBe("body-malformed");
    }
    const parsed = event as unknown as string;
    expect(await reasonOf(verify(secret, pushed([secret]), parsed))).toBe("body-malformed");
  });

  test.each([
    [[]],
    [""],
    ["whsec_"],
    ["whsec_!!!!"],
    [`whsec_${randomBytes(23).toString("base64")}`],
    [generateSecret("v1a")],
    [`whpk_${randomBytes(31).toString("base64")}`],
    [[secret, "whsec_"]],
    [undefined as unknown as string],
  ])("a malformed secret (%j) is the receiver's fault and told as such", async (malformed) => {
    expect(await reasonOf(verify(malformed, pushed([secret]), body))).toBe("secret-malformed");
  });
});

/**
 * Goal: whatever comes in, `verify` gives the event or throws a `VerificationError`, and gives it
 * only when nothing was changed. Method: any headers, bodies and secrets, among them true ones.
 */
test("malformed input of any kind is refused with a reason", async () => {
  const one = (...values: unknown[]) =>
    fc.oneof(...values.map((value) => fc.constant(value)), fc.anything(), fc.string());
  const right = pushed([secret]);
  const headers = fc.oneof(
    fc.record({
      "webhook-id": one(right["webhook-id"]),
      "webhook-timestamp": one(right["webhook-timestamp"]),
      "webhook-signature": one(right["webhook-signature"]),
    }),
    fc.anything(),
  );
  const bodies = fc.oneof(one(body, event), fc.uint8Array());
  const secrets = one(secret, [secret], shownSecret(generateSecret("v1a")));
  await fc.assert(
    fc.asyncProperty(secrets, headers, bodies, async (anySecret, anyHeaders, anyBody) => {
      const verifying = verify(anySecret as string, anyHeaders as typeof right, anyBody as string);
      const accepted = await verifying.then(
        (found) => found,
        (error: unknown) => {
          if (!(error instanceof VerificationError)) throw error;
        },
      );
      if (accepted !== undefined) expect(anyBody).toBe(body);
    }),
    { numRuns: 500 },
  );
});

describe("sign", () => {
  test("signs with several secrets of both kinds, as the gateway does in a rotation", async () => {
    const secrets = [secret, generateSecret("v1a")];
    expect(await sign(secrets, event.id, body, { now })).toEqual(pushed(secrets));
  });

  test("gives the example of the Standard Webhooks specification", async () => {
    const known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const at = { now: 1_614_265_330_000 };
    const signed = await sign(known, "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', at);
    expect(signed["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });
});

describe("the headers that tell where an event stands", () => {
  const place = {
    "tidegate-endpoint": "ep_1",
    "tidegate-previous-sequence": "00000000000000001040",
    "tidegate-cursor": "v1_abc",
  };

  test.each(["v1", "v1a"] as const)(
    "are believed as the gateway signs them by %s",
    async (kind) => {
      const own = generateSecret(kind);
      const headers = { ...pushed([own]), ...place };
      const { signHeaders } = createSigners([{ secret: own, expiresAt: null }]);
      const signature = signHeaders({ id: event.id, timestampSeconds: nowSeconds, headers });
      const whole = { ...headers, "tidegate-signature": signature };
      expect(await verifyPlace(shownSecret(own), whole)).toBe(true);
      expect(await verifyPlace(shownSecret(own), new Headers(whole))).toBe(true);
      expect(await signPlace(own, headers)).toEqual({ "tidegate-signature": signature });
      for (const name of [...Object.keys(place), "webhook-id", "webhook-timestamp"]) {
        expect(await verifyPlace(shownSecret(own), { ...whole, [name]: "other" })).toBe(false);
      }
      const added = { ...whole, "tidegate-replay": "rpl_1" };
      expect(await verifyPlace(shownSecret(own), added)).toBe(false);
      expect(await verifyPlace(shownSecret(own), headers)).toBe(false);
    },
  );

  test("have a signature that passes for no body's, and the other way round", async () => {
    const headers = { ...pushed([secret]), ...place };
    const bodys = { ...headers, "tidegate-signature": headers["webhook-signature"] };
    expect(await verifyPlace(secret, bodys)).toBe(false);
    const { "tidegate-signature": signature } = await signPlace(secret, headers);
    const forged = { ...headers, "webhook-signature": signature };
    expect(await reasonOf(verify(secret, forged, body))).toBe("signature-mismatch");
  });
});
