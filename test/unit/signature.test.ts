import { createPublicKey, randomBytes, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";

import { generateSecret, secretFault, shownSecret } from "../../src/deliveries/secrets.ts";
import { createSigners, type Sign } from "../../src/push/signature.ts";

const id = "evt_2026-11-23_k3v0q8m2x7c1b5n9r4t6";
const body = Buffer.from('{"type":"order.created","data":{"amount":4200,"note":"grüße 🌊"}}');
const nowSeconds = Math.floor(Date.now() / 1_000);

function signerOf(...secrets: string[]): Sign {
  return createSigners(secrets.map((secret) => ({ secret, expiresAt: null }))).sign;
}

function headers(signature: string): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(nowSeconds),
    "webhook-signature": signature,
  };
}

describe("v1", () => {
  test.each([
    ["standardwebhooks", (secret: string) => new Webhook(secret)],
    ["svix", (secret: string) => new SvixWebhook(secret)],
  ])("a signature is verified by %s", (_library, open) => {
    const secret = generateSecret();
    const sign = signerOf(secret);
    const signed = headers(sign(id, nowSeconds, body));
    expect(open(secret).verify(body, signed)).toEqual(JSON.parse(body.toString()));
    expect(() => open(secret).verify(`${body.toString()} `, signed)).toThrow("No matching");
    expect(() => open(generateSecret()).verify(body, signed)).toThrow("No matching");
  });

  test("during a rotation receivers with either secret verify", () => {
    const [older, newer] = [generateSecret(), generateSecret()];
    const signed = signerOf(newer, older)(id, nowSeconds, body);
    expect(signed.split(" ")).toHaveLength(2);
    for (const secret of [older, newer]) {
      expect(() => new Webhook(secret).verify(body, headers(signed))).not.toThrow();
    }
  });

  test("the same push is signed the same way again", () => {
    const sign = signerOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    const payload = Buffer.from('{"test": 2432232314}');
    // The example of the Standard Webhooks specification's reference libraries.
    expect(sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, payload)).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  test("a generated secret has 32 bytes and none is like another", () => {
    const secrets = Array.from({ length: 100 }, () => generateSecret());
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) {
      expect(Buffer.from(secret.slice("whsec_".length), "base64")).toHaveLength(32);
      expect(secretFault(secret, "v1")).toBeUndefined();
    }
  });

  test.each([
    [24, true],
    [64, true],
    [23, false],
    [65, false],
    [0, false],
  ])("a secret of %i bytes is accepted: %s", (bytes, accepted) => {
    const secret = `whsec_${randomBytes(bytes).toString("base64")}`;
    expect(secretFault(secret, "v1") === undefined).toBe(accepted);
  });

  test.each([
    ["no prefix", randomBytes(32).toString("base64")],
    ["another prefix", `whsk_${randomBytes(32).toString("base64")}`],
    ["characters that are not base64", "whsec_!!!!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    ["base64url", `whsec_${Buffer.alloc(32, 0xff).toString("base64url")}`],
    ["white space", `whsec_${randomBytes(32).toString("base64")}\n`],
    ["padding left out", `whsec_${randomBytes(32).toString("base64").replace("=", "")}`],
  ])("a secret with %s is refused", (_fault, secret) => {
    expect(secretFault(secret, "v1")).toMatch(/whsec_/);
  });

  test("the receiver is shown the secret itself", () => {
    const secret = generateSecret();
    expect(shownSecret(secret)).toBe(secret);
  });
});

describe("v1a", () => {
  test("a signature is verified by the public key that the receiver is shown", () => {
    const secret = generateSecret("v1a");
    expect(secretFault(secret, "v1a")).toBeUndefined();
    const [version, signature = ""] = signerOf(secret)(id, nowSeconds, body).split(",");
    expect(version).toBe("v1a");

    const [, raw = ""] = shownSecret(secret).split("whpk_");
    const x = Buffer.from(raw, "base64").toString("base64url");
    const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
    const signed = Buffer.from(`${id}.${nowSeconds}.${body.toString()}`);
    expect(verify(null, signed, key, Buffer.from(signature, "base64"))).toBe(true);
    expect(verify(null, signed.subarray(1), key, Buffer.from(signature, "base64"))).toBe(false);
  });

  test("a seed alone is the same key as seed and public key", () => {
    const secret = generateSecret("v1a");
    const bytes = Buffer.from(secret.slice("whsk_".length), "base64");
    const seed = `whsk_${bytes.subarray(0, 32).toString("base64")}`;
    expect(secretFault(seed, "v1a")).toBeUndefined();
    expect(shownSecret(seed)).toBe(shownSecret(secret));
  });

  test("a secret whose public half belongs to another seed is refused", () => {
    const secret = `whsk_${randomBytes(64).toString("base64")}`;
    expect(secretFault(secret, "v1a")).toMatch(/Ed25519/);
  });

  test("a v1 secret is refused", () => {
    expect(secretFault(generateSecret(), "v1a")).toMatch(/whsk_/);
  });
});

test("a secret that was rotated out signs until it expires, the newest for ever", () => {
  const [older, newer] = [generateSecret("v1a"), generateSecret()];
  const { sign } = createSigners([
    { secret: newer, expiresAt: null },
    { secret: older, expiresAt: nowSeconds * 1_000 },
  ]);
  const kindsAt = (seconds: number) =>
    sign(id, seconds, body)
      .split(" ")
      .map((signature) => signature.split(",")[0]);
  expect(kindsAt(nowSeconds - 1)).toEqual(["v1", "v1a"]);
  expect(kindsAt(nowSeconds)).toEqual(["v1"]);
});

test("there is no signer without a secret that lasts", () => {
  expect(() => createSigners([])).toThrow("unsigned");
  const expiresAt = Date.now() + 60_000;
  expect(() => createSigners([{ secret: generateSecret(), expiresAt }])).toThrow("unsigned");
});
