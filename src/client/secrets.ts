/**
 * The form of signing secrets, as Standard Webhooks has it: `whsec_` signs and verifies v1
 * (HMAC-SHA256), `whsk_` signs v1a (Ed25519), `whpk_` verifies it. Imported keys are kept, because
 * a receiver verifies every push with the same ones.
 */
import { webCrypto } from "./web-crypto.ts";

/** No `CryptoKey` by name: not every runtime's types have it. */
type Key = Awaited<ReturnType<typeof importHmac>>;

export type SigningKey = { readonly version: "v1" | "v1a"; readonly key: Key };

/** Bytes in a v1 secret, as Standard Webhooks allows. An empty one would verify a forgery. */
const hmacKeyMinBytes = 24;
const hmacKeyMaxBytes = 64;

/** An Ed25519 key, public or the private one's seed; a private key may be followed by its public. */
const ed25519Bytes = 32;

/** What precedes the seed in PKCS #8, the only form in which WebCrypto takes private keys raw. */
const pkcs8Start = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/** A receiver has a few secrets; one that takes them from its customers may have any number. */
const keptKeysMax = 256;

const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Far above a key's or a signature's. */
const base64MaxLength = 1_024;

const kept = new Map<string, Promise<SigningKey>>();

/** Rejects with the fault in plain words. */
export function verifyingKey(secret: string): Promise<SigningKey> {
  return keep(`verify ${secret}`, () => importVerifying(secret));
}

/** Rejects with the fault in plain words. */
export function signingKey(secret: string): Promise<SigningKey> {
  return keep(`sign ${secret}`, () => importSigning(secret));
}

async function keep(name: string, make: () => Promise<SigningKey>): Promise<SigningKey> {
  let found = kept.get(name);
  if (found === undefined) {
    found = make();
    const [oldest] = kept.keys();
    if (kept.size >= keptKeysMax && oldest !== undefined) kept.delete(oldest);
    kept.set(name, found);
  }
  try {
    return await found;
  } catch (error) {
    kept.delete(name);
    throw error;
  }
}

async function importVerifying(secret: string): Promise<SigningKey> {
  if (secret.startsWith("whpk_")) {
    const bytes = decodeBase64(secret.slice("whpk_".length));
    if (bytes?.length !== ed25519Bytes) {
      throw new TypeError("a public key is whpk_ and base64 of 32 bytes");
    }
    const key = await webCrypto().subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
    return { version: "v1a", key };
  }
  return { version: "v1", key: await importHmac(secret, "verify") };
}

async function importSigning(secret: string): Promise<SigningKey> {
  if (secret.startsWith("whsk_")) {
    const bytes = decodeBase64(secret.slice("whsk_".length));
    if (bytes?.length !== ed25519Bytes && bytes?.length !== 2 * ed25519Bytes) {
      throw new TypeError("a private key is whsk_ and base64 of 32 or 64 bytes");
    }
    const pkcs8 = Uint8Array.from([...pkcs8Start, ...bytes.subarray(0, ed25519Bytes)]);
    const key = await webCrypto().subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    return { version: "v1a", key };
  }
  return { version: "v1", key: await importHmac(secret, "sign") };
}

async function importHmac(secret: string, use: "sign" | "verify") {
  const bytes = secret.startsWith("whsec_") ? decodeBase64(secret.slice("whsec_".length)) : null;
  const length = bytes?.length ?? 0;
  if (!bytes || length < hmacKeyMinBytes || length > hmacKeyMaxBytes) {
    throw new TypeError("a secret is whsec_ and base64 of 24 to 64 bytes, or a key whpk_…");
  }
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return await webCrypto().subtle.importKey("raw", bytes, algorithm, false, [use]);
}

/** Strict, where `atob` lets white space and missing padding pass. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > base64MaxLength || !base64Form.test(text)) return undefined;
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

export function encodeBase64(bytes: Uint8Array): string {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}
