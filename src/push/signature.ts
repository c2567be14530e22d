/**
 * Signs pushes as Standard Webhooks asks, so that a receiver verifies them with any library of
 * that name: `v1,<base64>` is an HMAC-SHA256 of `id.timestamp.body`, `v1a,<base64>` an Ed25519
 * signature of the same bytes. While a secret is being rotated several are in force, and the
 * header carries one signature for each, separated by spaces, the newest first.
 *
 * That says nothing of the headers, so where the event stands has a signature of its own.
 */
import { sign as signEd25519 } from "node:crypto";
import type { EndpointSecret } from "../deliveries/endpoint.ts";
import { hmacKeyOf, privateKeyOf } from "../deliveries/secrets.ts";
import { createHmacSha256 } from "../hmac.ts";

/**
 * The value of `webhook-signature` for one push, by the secrets that are in force at the time it
 * carries: whoever signs may do so for longer than a rotated one lasts.
 */
export type Sign = (id: string, timestampSeconds: number, body: Buffer) => string;

/** The value of `tidegate-signature`, in the same form. */
export type SignHeaders = (push: {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}) => string;

/** What it covers, in this order; the text of one that is not sent is empty. */
const signedHeaders = [
  "tidegate-endpoint",
  "tidegate-previous-sequence",
  "tidegate-cursor",
  "tidegate-replay",
];

/**
 * Prepares the keys once, because a lane signs every push with the same ones. The secrets were
 * validated when they were set, so one that cannot be read is a fault of ours.
 */
export function createSigners(secrets: readonly EndpointSecret[]): {
  readonly sign: Sign;
  readonly signHeaders: SignHeaders;
} {
  const signers = secrets.map(({ secret, expiresAt }) => ({
    sign: signerOf(secret),
    endsAt: expiresAt ?? Infinity,
  }));
  if (!signers.some(({ endsAt }) => endsAt === Infinity)) {
    throw new Error("a push is never sent unsigned");
  }

  return {
    sign: (id, timestampSeconds, body) =>
      signatures(`${id}.${timestampSeconds}.`, body, timestampSeconds),

    // A text without a point, which `id.timestamp.body` never is: neither signature passes for the
    // other.
    signHeaders({ id, timestampSeconds, headers }) {
      let text = `tidegate-headers\n${id}\n${timestampSeconds}`;
      for (const name of signedHeaders) text += `\n${headers[name] ?? ""}`;
      return signatures(text, undefined, timestampSeconds);
    },
  };

  function signatures(start: string, body: Buffer | undefined, timestampSeconds: number): string {
    let text = "";
    for (const { sign, endsAt } of signers) {
      if (endsAt <= timestampSeconds * 1_000) continue;
      text += text === "" ? sign(start, body) : ` ${sign(start, body)}`;
    }
    return text;
  }
}

function signerOf(secret: string): (start: string, body: Buffer | undefined) => string {
  const privateKey = privateKeyOf(secret);
  if (privateKey !== undefined) {
    // Ed25519 reads its input twice, so it is the one algorithm without an update().
    return (start, body) => {
      const text = Buffer.from(start);
      const signed = body === undefined ? text : Buffer.concat([text, body]);
      return `v1a,${signEd25519(null, signed, privateKey).toString("base64")}`;
    };
  }

  const bytes = hmacKeyOf(secret);
  if (bytes === undefined) throw new Error("unreadable signing secret");
  const hmac = createHmacSha256(bytes);
  return (start, body) => `v1,${hmac(start, body, "base64")}`;
}
