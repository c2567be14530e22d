/**
 * The keys everything secret hangs from. A key ring holds numbered keys, the newest first: the
 * newest signs and seals, every other one still verifies and opens, so that keys can be exchanged
 * without a break. No key is used as it is; each purpose has its own, derived by HKDF, so what
 * was made for one purpose is worthless for another.
 *
 * In embedded mode the ring and the first operator key are made here, and kept in the data
 * directory.
 */

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from "node:crypto";
import { chmod, link, mkdir, open as openFile, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

export type Key = {
  readonly kid: number;
  /** 32 bytes for this purpose alone. */
  derive(purpose: string): Buffer;
};

export type KeyRing = {
  readonly newest: Key;
  find(kid: number): Key | undefined;
};

/** One byte on the wire; 0 is left free so that an empty byte never names a key. */
const kidMax = 255;
/** HKDF cannot add entropy: less than this would be the weakest part of AES-256 and HMAC. */
const keyBytesMin = 32;
const derivedBytes = 32;
/** Random nonces of 96 bits are safe for 2^32 seals per key; only a few secrets are sealed. */
const nonceBytes = 12;
const tagBytes = 16;
const cipher = "aes-256-gcm";

/** Reads `kid:base64,…`. Errors name the entry, never its key. */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<number, Key>();
  for (const [index, entry] of text.split(",").entries()) {
    const key = parseKey(entry.trim(), `key ring entry ${index + 1}`);
    if (keys.has(key.kid)) throw new Error(`key ring entry ${index + 1} repeats kid ${key.kid}`);
    keys.set(key.kid, key);
  }
  const [newest] = keys.values();
  if (newest === undefined) throw new Error("the key ring is empty");
  return { newest, find: (kid) => keys.get(kid) };
}

export function generateKeyRing(): string {
  return `1:${randomBytes(keyBytesMin).toString("base64")}`;
}

/**
 * Encrypts with the newest key: kid, nonce, ciphertext, tag. `context` is not stored but must be
 * the same at `open`; with the owner's id as context, a sealed value moved to another row is
 * noticed.
 */
export function seal(
  ring: KeyRing,
  purpose: string,
  plaintext: Uint8Array,
  context: string,
): Buffer {
  const nonce = randomBytes(nonceBytes);
  const encryption = createCipheriv(cipher, imported(ring.newest.derive(purpose)), nonce);
  encryption.setAAD(Buffer.from(context));
  return Buffer.concat([
    Buffer.of(ring.newest.kid),
    nonce,
    encryption.update(plaintext),
    encryption.final(),
    encryption.getAuthTag(),
  ]);
}

/** Undoes `seal`. Throws when the key is gone, or when anything at all was changed. */
export function open(ring: KeyRing, purpose: string, sealed: Uint8Array, context: string): Buffer {
  const [kid] = sealed;
  if (kid === undefined || sealed.length < 1 + nonceBytes + tagBytes) {
    throw new Error("the sealed value is too short");
  }
  const key = ring.find(kid);
  if (key === undefined) throw new Error(`key ${kid}, which sealed this, is not in the key ring`);
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decryption = createDecipheriv(cipher, imported(key.derive(purpose)), nonce, {
    authTagLength: tagBytes,
  });
  decryption.setAAD(Buffer.from(context));
  decryption.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([
      decryption.update(sealed.subarray(1 + nonceBytes, -tagBytes)),
      decryption.final(),
    ]);
  } catch (cause) {
    throw new Error(`key ${kid} is another one now, or the sealed value was changed`, { cause });
  }
}

const keyObjects = new WeakMap<Buffer, KeyObject>();

/** A raw key is imported anew by each use: 17 µs of the 21 that it takes to open a secret. */
function imported(raw: Buffer): KeyObject {
  let key = keyObjects.get(raw);
  if (key === undefined) keyObjects.set(raw, (key = createSecretKey(raw)));
  return key;
}

/**
 * Embedded mode's operator key and key ring: read from the data directory, made at the first
 * start. Of several processes that start at once all get the same keys.
 */
export async function loadOrCreateKeys(
  dataDir: string,
): Promise<{ operatorKey: string; secrets: string }> {
  // In two steps, since the mode of the last directory is not for those above it.
  await mkdir(dirname(dataDir), { recursive: true });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return {
    operatorKey: await loadOrCreate(join(dataDir, "operator-key"), generateOperatorKey),
    secrets: await loadOrCreate(join(dataDir, "secrets"), generateKeyRing),
  };
}

function generateOperatorKey(): string {
  return `tg_op_${randomBytes(24).toString("base64url")}`;
}

function parseKey(entry: string, name: string): Key {
  const match = /^(\d{1,3}):([\w+/-]+={0,2})$/.exec(entry);
  if (match === null) throw new Error(`${name} must have the form kid:base64`);
  const [, kidText = "", keyText = ""] = match;
  const kid = Number(kidText);
  if (kid < 1 || kid > kidMax) throw new Error(`${name} must have a kid from 1 to ${kidMax}`);
  const bytes = decodeBase64(keyText);
  if (bytes === undefined) throw new Error(`${name} is not base64`);
  if (bytes.length < keyBytesMin) {
    throw new Error(`${name} has a key of ${bytes.length} bytes; ${keyBytesMin} are needed`);
  }
  return createKey(kid, bytes);
}

function createKey(kid: number, bytes: Buffer): Key {
  const derived = new Map<string, Buffer>();
  return {
    kid,
    derive(purpose) {
      let key = derived.get(purpose);
      if (key === undefined) {
        key = Buffer.from(hkdfSync("sha256", bytes, "", `tidegate ${purpose}`, derivedBytes));
        derived.set(purpose, key);
      }
      return key;
    },
  };
}

/** Both alphabets, with or without padding. Buffer alone would skip over what it cannot read. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  const unpadded = text.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  return bytes.toString("base64url") === unpadded ? bytes : undefined;
}

async function loadOrCreate(path: string, generate: () => string): Promise<string> {
  if (!(await exists(path))) await createOnce(path, generate());
  await tighten(path);
  const text = (await readFile(path, "utf8")).trim();
  if (text === "") throw new Error(`${path} is empty; restore it, or delete it for a new key`);
  return text;
}

/**
 * Linking a finished file is the one step that both never shows half a key and never replaces
 * one: whoever comes second finds the first one's file.
 */
async function createOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await openFile(draft, "wx", 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(draft);
  }
}

/**
 * A copied directory often comes out readable for everyone. Refusing such a file would not make
 * its key secret again and would only stop the start, so the mode is put right instead.
 */
async function tighten(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
