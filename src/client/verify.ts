/**
 * Tells whether a push is one of the gateway's, and gives its event. A push proves three things by
 * itself: its origin and its bytes by the signature, its age by the signed time. The `tidegate-*`
 * headers are not under that signature: they say where to look, and must not be believed in
 * anything that an attacker who repeats a push could use, unless `tidegate-signature` covers them.
 *
 * Within the tolerance the same push may come again, from the gateway's retries as well: whoever
 * needs each event once remembers its id.
 */
import { isEvent, type TidegateEvent } from "./event.ts";
import { headerOf, type PushHeaders } from "./headers.ts";
import {
  decodeBase64,
  encodeBase64,
  signingKey,
  verifyingKey,
  type SigningKey,
} from "./secrets.ts";
import { webCrypto } from "./web-crypto.ts";

/** Why a push was not accepted. Only `secret-malformed` is the receiver's own fault. */
export type VerificationReason =
  | "secret-malformed"
  | "headers-missing"
  | "headers-malformed"
  | "too-old"
  | "too-new"
  | "signature-mismatch"
  | "body-malformed"
  | "id-mismatch";

export class VerificationError extends Error {
  readonly reason: VerificationReason;

  constructor(reason: VerificationReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "VerificationError";
    this.reason = reason;
  }
}

export type VerifyOptions = {
  /** How far the signed time may be from now, either way; 300 unless given. */
  readonly toleranceSeconds?: number | undefined;
  /** The present, in milliseconds or as a date; the clock's unless given. */
  readonly now?: number | Date | undefined;
};

/** The body as it came over the wire: parsed and written again it would be another. */
export type RawBody = string | Uint8Array | ArrayBuffer;

/** A rotation has two; each costs a look at the whole body. */
const signaturesMax = 16;

/**
 * The event of a push that is signed by one of the secrets (`whsec_…`) or keys (`whpk_…`). Throws
 * `VerificationError` for everything else, whatever it is.
 */
export async function verify<Data = unknown>(
  secretOrKeys: string | readonly string[],
  headers: PushHeaders,
  body: RawBody,
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): Promise<TidegateEvent<Data>> {
  const keys = await readSecrets(secretOrKeys, verifyingKey);
  const { id, timestamp, signatures } = readHeaders(headers);
  checkAge(Number(timestamp), Number(now) / 1_000, toleranceSeconds);
  const bytes = bytesOf(body);
  const signed = signedBytes(id, timestamp, bytes);
  if (!(await isSignedByAny(keys, signatures, signed))) {
    throw new VerificationError(
      "signature-mismatch",
      "no signature is by one of these secrets over these bytes: pass the raw body, and the " +
        "secret of this endpoint",
    );
  }
  const event = parseEvent(bytes);
  // Both are signed, so only another sender with the same secret could make them differ; whoever
  // remembers the one and somebody else the other would then handle an event twice.
  if (event.id !== id) {
    throw new VerificationError("id-mismatch", `webhook-id is ${id}, but the event's is another`);
  }
  return event as TidegateEvent<Data>;
}

/**
 * The headers that sign a body, for tests of one's own receiver: as the gateway sends them, one
 * signature for each secret (`whsec_…`, or a private key `whsk_…`). `id` is the event's.
 */
export async function sign(
  secretOrKeys: string | readonly string[],
  id: string,
  body: RawBody,
  { now = Date.now() }: { readonly now?: number | Date } = {},
): Promise<{ "webhook-id": string; "webhook-timestamp": string; "webhook-signature": string }> {
  const keys = await readSecrets(secretOrKeys, signingKey);
  const timestamp = String(Math.floor(Number(now) / 1_000));
  const signed = signedBytes(id, timestamp, bytesOf(body));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": await signaturesOf(keys, signed),
  };
}

/** The headers that tell where the event of a push stands. */
const placeHeaders = [
  "tidegate-endpoint",
  "tidegate-previous-sequence",
  "tidegate-cursor",
  "tidegate-replay",
];

/** Whether these headers of a push that was verified are the gateway's too. */
export async function verifyPlace(
  secretOrKeys: string | readonly string[],
  headers: PushHeaders,
): Promise<boolean> {
  const signatures = (headerOf(headers, "tidegate-signature") ?? "").split(" ").map(readSignature);
  const known = signatures.filter((each): each is Signature => each !== undefined);
  if (known.length === 0 || signatures.length > signaturesMax) return false;
  const keys = await readSecrets(secretOrKeys, verifyingKey);
  return await isSignedByAny(keys, known, placeBytes(headers));
}

/** The header that signs those that tell where an event stands, as `sign` does for the body. */
export async function signPlace(
  secretOrKeys: string | readonly string[],
  headers: Readonly<Record<string, string>>,
): Promise<{ "tidegate-signature": string }> {
  const keys = await readSecrets(secretOrKeys, signingKey);
  return { "tidegate-signature": await signaturesOf(keys, placeBytes(headers)) };
}

/** Without a point, which the signed text of a body always has: neither passes for the other. */
function placeBytes(headers: PushHeaders): Uint8Array<ArrayBuffer> {
  const names = ["webhook-id", "webhook-timestamp", ...placeHeaders];
  const lines = names.map((name) => headerOf(headers, name) ?? "");
  return new TextEncoder().encode(["tidegate-headers", ...lines].join("\n"));
}

async function signaturesOf(
  keys: readonly SigningKey[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const signatures = await Promise.all(
    keys.map(async ({ version, key }) => {
      const signature = await webCrypto().subtle.sign(algorithmOf(version), key, signed);
      return `${version},${encodeBase64(new Uint8Array(signature))}`;
    }),
  );
  return signatures.join(" ");
}

async function readSecrets(
  secrets: string | readonly string[],
  read: (secret: string) => Promise<SigningKey>,
): Promise<SigningKey[]> {
  // Not a fault of the push: whoever mistakes it for one refuses every true one.
  webCrypto();
  const list: readonly unknown[] = Array.isArray(secrets) ? secrets : [secrets];
  if (list.length === 0) throw new VerificationError("secret-malformed", "there is no secret");
  try {
    return await Promise.all(list.map((secret) => read(String(secret))));
  } catch (error) {
    const message = error instanceof Error ? error.message : "the secret cannot be used";
    throw new VerificationError("secret-malformed", message, error);
  }
}

type Signature = { readonly version: string; readonly bytes: Uint8Array<ArrayBuffer> };

function readHeaders(headers: PushHeaders) {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signature = headerOf(headers, "webhook-signature");
  if (!id || !timestamp || !signature) {
    const names = "webhook-id, webhook-timestamp and webhook-signature";
    throw new VerificationError("headers-missing", `a push has ${names}, each once`);
  }
  // No other spelling of the same number: the text is what was signed.
  if (!/^[1-9]\d{0,14}$/.test(timestamp)) {
    throw new VerificationError("headers-malformed", "webhook-timestamp is no time in seconds");
  }
  const signatures = signature.split(" ").map(readSignature);
  const known = signatures.filter((each): each is Signature => each !== undefined);
  if (known.length === 0 || signatures.length > signaturesMax) {
    const text = `webhook-signature has no signature, or more than ${signaturesMax}`;
    throw new VerificationError("headers-malformed", text);
  }
  return { id, timestamp, signatures: known };
}

/** Undefined for what is none, or of a version that is not known here. */
function readSignature(text: string): Signature | undefined {
  const [, version = "", base64 = ""] = /^(v1a?),(.+)$/.exec(text) ?? [];
  const bytes = decodeBase64(base64);
  return bytes === undefined || bytes.length === 0 ? undefined : { version, bytes };
}

/** Written so that what is not a number is refused. */
function checkAge(signedAt: number, now: number, toleranceSeconds: number): void {
  if (!(signedAt >= now - toleranceSeconds)) {
    throw new VerificationError(
      "too-old",
      "the push was signed too long ago, or the clock is wrong",
    );
  }
  if (!(signedAt <= now + toleranceSeconds)) {
    throw new VerificationError("too-new", "the push was signed in the future: a clock is wrong");
  }
}

/** WebCrypto compares in constant time. */
async function isSignedByAny(
  keys: readonly SigningKey[],
  signatures: readonly Signature[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const { version, key } of keys) {
    for (const signature of signatures) {
      if (signature.version !== version) continue;
      const { bytes } = signature;
      // A signature of another length is no fault to every runtime; to some it throws.
      const isValid = await webCrypto()
        .subtle.verify(algorithmOf(version), key, bytes, signed)
        .catch(() => false);
      if (isValid) return true;
    }
  }
  return false;
}

function algorithmOf(version: SigningKey["version"]): "HMAC" | "Ed25519" {
  return version === "v1" ? "HMAC" : "Ed25519";
}

function signedBytes(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = new TextEncoder().encode(`${id}.${timestamp}.`);
  const bytes = new Uint8Array(start.length + body.length);
  bytes.set(start);
  bytes.set(body, start.length);
  return bytes;
}

function bytesOf(body: RawBody): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  const text = "the body must be raw, a string or bytes, and not parsed yet";
  throw new VerificationError("body-malformed", text);
}

function parseEvent(bytes: Uint8Array): TidegateEvent {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new VerificationError("body-malformed", "the body is not JSON", error);
  }
  if (isEvent(value)) return value;
  throw new VerificationError("body-malformed", "the body is no event of a gateway");
}
