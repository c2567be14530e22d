/**
 * Signs pushes as Standard Webhooks asks, so that a receiver verifies them with any library of
 * that name: `v1,<base64>` is an HMAC-SHA256 of `id.timestamp.body`, `v1a,<base64>` an Ed25519
 * signature of the same bytes. While a secret is being rotated several are in force, and the
 * header carries one signature for each, separated by spaces.
 */
import { createHmac, createSecretKey, sign as signEd25519 } from "node:crypto";
import { hmacKeyOf, privateKeyOf } from "../deliveries/secrets.ts";

/** The value of `webhook-signature` for one push. */
export type Sign = (id: string, timestampSeconds: number, body: Buffer) => string;

/**
 * Prepares the keys once, because a lane signs every push with the same ones. The secrets were
 * validated when they were set, so one that cannot be read is a fault of ours.
 */
export function createSigner(secrets: readonly string[]): Sign {
  const signers = secrets.map(signerOf);
  if (signers.length === 0) throw new Error("a push is never sent unsigned");

  return (id, timestampSeconds, body) => {
    const start = `${id}.${timestampSeconds}.`;
    return signers.map((sign) => sign(start, body)).join(" ");
  };
}

function signerOf(secret: string): (start: string, body: Buffer) => string {
  const privateKey = privateKeyOf(secret);
  if (privateKey !== undefined) {
    // Ed25519 reads its input twice, so it is the one algorithm without an update().
    return (start, body) => {
      const signed = Buffer.concat([Buffer.from(start), body]);
      return `v1a,${signEd25519(null, signed, privateKey).toString("base64")}`;
    };
  }

  const bytes = hmacKeyOf(secret);
  if (bytes === undefined) throw new Error("unreadable signing secret");
  const key = createSecretKey(bytes);
  return (start, body) =>
    `v1,${createHmac("sha256", key).update(start).update(body).digest("base64")}`;
}
