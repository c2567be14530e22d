/**
 * A cursor is a signed position in one tenant's log: 48 bytes, written as 64 base64url characters.
 *
 * It carries no time and nothing random, so the same position under the same key is the same text:
 * pages can be cached, and one minted cursor serves all readers. It is not a credential;
 * whoever reads with it is authorised on every read. It does not promise that its event is still
 * there, or is still the same one: the reader compares the fingerprint with the log.
 *
 *     offset  bytes
 *          0      1  version
 *          1      1  id of the key that signed it
 *          2      1  flags; bit 0: fits any filter
 *          3      4  fingerprint of the event at that sequence, 0 before the first
 *          7      8  sequence
 *         15      2  day, counted from 1970-01-01
 *         17      8  tenant, the first half of its internal id
 *         25      7  fingerprint of the filter, zeros when it fits any
 *         32     16  HMAC-SHA256 of all the bytes before, cut to 128 bits
 */

import { timingSafeEqual } from "node:crypto";
import { createHmacSha256, type Hmac } from "../hmac.ts";
import type { Key, KeyRing } from "../keyring.ts";
import { dayNumber, dayNumbered, tenantPrefix, type Position, type TenantId } from "./event.ts";

export type CursorContent = {
  readonly tenant: TenantId;
  readonly position: Position;
  /** Of the event at the position, as `eventFingerprint` gives it; 0 at the beginning. */
  readonly fingerprint: number;
  /** Fingerprint of the filter the cursor was made for. Cursors of pushes fit any. */
  readonly filter: Uint8Array | "any";
};

export type Cursors = {
  mint(content: CursorContent): string;
  /**
   * The content, if the text is a cursor of this tenant that a key of the ring signed. Wrong form,
   * unknown key, wrong signature and another tenant all give the same answer, so nobody can learn
   * which it was.
   */
  read(text: string, tenant: TenantId): CursorContent | undefined;
};

const version = 1;
const fitsAnyFilter = 1;

const keyIdAt = 1;
const flagsAt = 2;
const fingerprintAt = 3;
const sequenceAt = 7;
const dayAt = 15;
const tenantAt = 17;
const filterAt = 25;
const signatureAt = 32;
const signatureBytes = 16;
const cursorBytes = signatureAt + signatureBytes;
const cursorCharacters = 64;

export function createCursors(ring: KeyRing): Cursors {
  // Nothing here waits, so one buffer serves every call and none of its bytes outlive one.
  const bytes = Buffer.alloc(cursorBytes);
  const signed = bytes.subarray(0, signatureAt);
  const signature = bytes.subarray(signatureAt);
  const tenantPart = bytes.subarray(tenantAt, filterAt);
  const filterPart = bytes.subarray(filterAt, signatureAt);
  const expected = Buffer.alloc(signatureBytes);
  const signatures = new Map<number, Hmac>();
  /** Of the last one that was minted: a lane or a reader of pages mints many of one tenant. */
  let known = { tenant: "", prefix: Buffer.alloc(0), day: "", dayNumber: 0 };

  return { mint, read };

  function mint({ tenant, position, fingerprint, filter }: CursorContent): string {
    bytes[0] = version;
    bytes[keyIdAt] = ring.newest.kid;
    bytes[flagsAt] = filter === "any" ? fitsAnyFilter : 0;
    bytes.writeUInt32BE(fingerprint, fingerprintAt);
    writeSequence(bytes, position.sequence);
    if (known.tenant !== tenant || known.day !== position.day) {
      const prefix = Buffer.from(tenantPrefix(tenant), "hex");
      known = { tenant, prefix, day: position.day, dayNumber: dayNumber(position.day) };
    }
    bytes.writeUInt16BE(known.dayNumber, dayAt);
    tenantPart.set(known.prefix);
    if (filter === "any") filterPart.fill(0);
    else filterPart.set(filter);
    sign(ring.newest, signature);
    return bytes.toString("base64url");
  }

  function read(text: string, tenant: TenantId): CursorContent | undefined {
    if (text.length !== cursorCharacters) return undefined;
    bytes.write(text, "base64url");
    // The decoder forgives what it should not (`+` for `-`, padding, white space, junk), but only
    // what the encoder would have written comes back the same.
    if (bytes.toString("base64url") !== text) return undefined;

    const key = ring.find(bytes.readUInt8(keyIdAt));
    if (key === undefined) return undefined;
    sign(key, expected);
    if (!timingSafeEqual(expected, signature)) return undefined;

    const flags = bytes.readUInt8(flagsAt);
    if (bytes[0] !== version || (flags & ~fitsAnyFilter) !== 0) return undefined;
    if (tenantPart.toString("hex") !== tenantPrefix(tenant)) return undefined;
    return {
      tenant,
      position: { sequence: readSequence(bytes), day: dayNumbered(bytes.readUInt16BE(dayAt)) },
      fingerprint: bytes.readUInt32BE(fingerprintAt),
      filter: flags === fitsAnyFilter ? "any" : Uint8Array.from(filterPart),
    };
  }

  /** Writes the signature of what was written, cut to its length. */
  function sign(key: Key, target: Buffer): void {
    let hmac = signatures.get(key.kid);
    if (hmac === undefined) {
      signatures.set(key.kid, (hmac = createHmacSha256(key.derive("cursor"))));
    }
    target.write(hmac("", signed, "binary"), "latin1");
  }
}

/** In two halves, because the 64-bit calls of Buffer need a BigInt each time. */
function writeSequence(bytes: Buffer, sequence: number): void {
  bytes.writeUInt32BE(Math.floor(sequence / 2 ** 32), sequenceAt);
  bytes.writeUInt32BE(sequence % 2 ** 32, sequenceAt + 4);
}

function readSequence(bytes: Buffer): number {
  return bytes.readUInt32BE(sequenceAt) * 2 ** 32 + bytes.readUInt32BE(sequenceAt + 4);
}
