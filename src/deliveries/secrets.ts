/**
 * The form of signing secrets, as Standard Webhooks has it. A secret's prefix says what it is:
 * `whsec_` signs and verifies v1 (HMAC-SHA256); `whsk_` signs v1a (Ed25519) and never leaves the
 * gateway, `whpk_` verifies it and is what the receiver is given.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";

export type SignatureVersion = "v1" | "v1a";

/** Bytes in a v1 secret: what Standard Webhooks allows, and what is generated. */
const hmacKeyMinBytes = 24;
const hmacKeyMaxBytes = 64;
const hmacKeyBytes = 32;

/** An Ed25519 secret is its 32-byte seed, alone or followed by the 32-byte public key. */
const seedBytes = 32;
const seedAndPublicBytes = 64;

/** What precedes the seed in PKCS #8, the only raw form that node:crypto imports. */
const pkcs8Start = Buffer.from("302e020100300506032b657004220420", "hex");

export function generateSecret(version: SignatureVersion = "v1"): string {
  if (version === "v1") return `whsec_${randomBytes(hmacKeyBytes).toString("base64")}`;
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d: seed, x: publicKey } = privateKey.export({ format: "jwk" });
  if (seed === undefined || publicKey === undefined) throw new Error("Ed25519 key without parts");
  const bytes = [Buffer.from(seed, "base64url"), Buffer.from(publicKey, "base64url")];
  return `whsk_${Buffer.concat(bytes).toString("base64")}`;
}

/** Why a secret that a caller brought cannot be used, or undefined when it can. */
export function secretFault(secret: string, version: SignatureVersion): string | undefined {
  switch (version) {
    case "v1": {
      const bytes = hmacKeyOf(secret)?.length ?? 0;
      if (bytes >= hmacKeyMinBytes && bytes <= hmacKeyMaxBytes) return undefined;
      return `must be whsec_ and base64 of ${hmacKeyMinBytes} to ${hmacKeyMaxBytes} bytes`;
    }
    case "v1a":
      if (privateKeyOf(secret) !== undefined) return undefined;
      return "must be whsk_ and base64 of an Ed25519 key: its seed, or seed and public key";
  }
}

/** The form of a secret that its receiver may see: itself for v1, the public key for v1a. */
export function shownSecret(secret: string): string {
  const privateKey = privateKeyOf(secret);
  return privateKey === undefined ? secret : `whpk_${publicBytes(privateKey).toString("base64")}`;
}

/** The bytes of a `whsec_` secret; undefined for what is none. */
export function hmacKeyOf(secret: string): Buffer | undefined {
  return decode(secret, "whsec_");
}

/** The key of a well-formed `whsk_` secret whose public half, if given, belongs to it. */
export function privateKeyOf(secret: string): KeyObject | undefined {
  const bytes = decode(secret, "whsk_");
  if (bytes?.length !== seedBytes && bytes?.length !== seedAndPublicBytes) return undefined;
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Start, bytes.subarray(0, seedBytes)]),
    format: "der",
    type: "pkcs8",
  });
  const given = bytes.subarray(seedBytes);
  return given.length === 0 || given.equals(publicBytes(key)) ? key : undefined;
}

function publicBytes(privateKey: KeyObject): Buffer {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (x === undefined) throw new Error("Ed25519 key without a public half");
  return Buffer.from(x, "base64url");
}

/** Strict where Buffer is not: the receiver's library may refuse what Buffer lets pass. */
function decode(secret: string, prefix: string): Buffer | undefined {
  if (!secret.startsWith(prefix)) return undefined;
  const text = secret.slice(prefix.length);
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
