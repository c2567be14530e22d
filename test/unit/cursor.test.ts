import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseKeyRing } from "../../src/keyring.ts";
import { createCursors, type CursorContent } from "../../src/log/cursor.ts";
import { beginning, type TenantId } from "../../src/log/event.ts";
import { compileFilter } from "../../src/log/filter.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const key1 = `1:${Buffer.alloc(32, "tidegate cursors, first test key").toString("base64")}`;
const key2 = `2:${Buffer.alloc(32, "tidegate cursors, second test key").toString("base64")}`;
const ring = parseKeyRing(key1);
const { mint, read } = createCursors(ring);

const tenant = "6f1c2a52-0b7e-4d7d-9a3e-3f0d8b1c4e55" as TenantId;
const sameHalf = "6f1c2a52-0b7e-4d7d-ffff-3f0d8b1c4e55" as TenantId;
const other = "6f1c2a52-0b7e-4d7c-9a3e-3f0d8b1c4e55" as TenantId;
const { fingerprint: filter } = compileFilter({ types: ["order.*"], subjects: null });

const content: CursorContent = {
  tenant,
  position: { sequence: 1042, day: "2026-11-23" },
  fingerprint: 0x9b5a1c07,
  filter: Uint8Array.from(filter),
};

test("every content comes back, in 64 characters that are the same each time", () => {
  const contents = fc.record({
    tenant: fc.uuid().map((id) => id as TenantId),
    position: fc.record({
      sequence: fc.oneof(fc.maxSafeNat(), fc.nat()),
      day: fc
        .nat(2 ** 16 - 1)
        .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10)),
    }),
    fingerprint: fc.nat(2 ** 32 - 1),
    filter: fc.oneof(
      fc.constant("any" as const),
      fc.uint8Array({ minLength: 7, maxLength: 7 }).map((bytes) => Uint8Array.from(bytes)),
    ),
  });
  fc.assert(
    fc.property(contents, contents, (one, another) => {
      const text = mint(one);
      expect(text).toMatch(/^[A-Za-z0-9_-]{64}$/);
      mint(another);
      const back = read(text, one.tenant);
      expect(back).toEqual(one);
      read(mint(another), another.tenant);
      expect(back).toEqual(one);
      expect(mint(one)).toBe(text);
    }),
  );
});

// Consumers keep cursors for weeks. Whoever has to change one of these lines makes a new version,
// and goes on reading the old one.
test.each<[string, CursorContent, string]>([
  ["a filtered read", content, "AQEAm1ocBwAAAAAAAAQSUSxvHCpSC35NffPc57BDi4Ta2D9auqNH7vV-sWfugBR4"],
  [
    "a push",
    { ...content, filter: "any" },
    "AQEBm1ocBwAAAAAAAAQSUSxvHCpSC35NfQAAAAAAAADCwK_GJc7QnxT8V4YV7jyP",
  ],
  [
    "the beginning",
    { tenant, position: beginning, fingerprint: 0, filter: "any" },
    "AQEBAAAAAAAAAAAAAAAAAABvHCpSC35NfQAAAAAAAAAV-1nbVIBoR1WrY4NKeU34",
  ],
])("the cursor of %s is the one that earlier versions minted", (_, minted, text) => {
  expect(mint(minted)).toBe(text);
  expect(read(text, tenant)).toEqual(minted);
});

describe("a cursor is refused", () => {
  const text = mint(content);

  test("with any one bit changed", () => {
    for (let at = 0; at < text.length; at += 1) {
      for (let bit = 0; bit < 6; bit += 1) {
        const flipped = alphabet[alphabet.indexOf(text.charAt(at)) ^ (1 << bit)];
        expect(read(`${text.slice(0, at)}${flipped}${text.slice(at + 1)}`, tenant)).toBeUndefined();
      }
    }
  });

  test("when it is shorter, longer or padded", () => {
    for (let length = 0; length < text.length; length += 1) {
      expect(read(text.slice(0, length), tenant)).toBeUndefined();
    }
    for (const more of ["A", "=", "==", " ", "\n", "\0", text]) {
      expect(read(text + more, tenant)).toBeUndefined();
      expect(read(more + text, tenant)).toBeUndefined();
    }
  });

  test("with characters that a forgiving decoder would accept or skip", () => {
    for (const junk of ["+", "/", "=", " ", "\n", "\0", ".", "%", "é", "Ａ", "\u0141", "\ud83d"]) {
      for (const at of [0, 1, 31, 62, 63]) {
        expect(read(text.slice(0, at) + junk + text.slice(at + 1), tenant)).toBeUndefined();
        expect(read(text.slice(0, at) + junk + text.slice(at), tenant)).toBeUndefined();
      }
    }
    const urlSafe = mint({ ...content, fingerprint: 0xfbffbfff });
    expect(urlSafe).toMatch(/[-_]/);
    expect(read(urlSafe, tenant)).toBeDefined();
    expect(read(urlSafe.replaceAll("-", "+").replaceAll("_", "/"), tenant)).toBeUndefined();
  });

  test("when it is any other text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (any) => {
        expect(read(any, tenant)).toBeUndefined();
      }),
    );
    expect(read("A".repeat(64), tenant)).toBeUndefined();
    expect(read("A".repeat(1_000_000), tenant)).toBeUndefined();
  });

  test("by another tenant", () => {
    expect(read(text, other)).toBeUndefined();
    expect(read(text, sameHalf)).toBeDefined();
  });

  test("when its key has left the ring, not before", () => {
    const rotated = createCursors(parseKeyRing(`${key2},${key1}`));
    expect(rotated.read(text, tenant)).toEqual(content);
    const renewed = rotated.mint(content);
    expect(renewed).not.toBe(text);
    expect(rotated.read(renewed, tenant)).toEqual(content);

    const removed = createCursors(parseKeyRing(key2));
    expect(removed.read(renewed, tenant)).toEqual(content);
    expect(removed.read(text, tenant)).toBeUndefined();
    expect(read(renewed, tenant)).toBeUndefined();
  });

  test("when another key has taken over the id of its own", () => {
    const reused = createCursors(parseKeyRing(key2.replace("2:", "1:")));
    expect(reused.read(text, tenant)).toBeUndefined();
  });

  test("when a later version made it, even with the same key", () => {
    for (const [at, value] of [
      [0, 2],
      [0, 0],
      [2, 2],
      [2, 0x80],
    ] as const) {
      const bytes = Buffer.from(text, "base64url");
      expect(read(resigned(bytes), tenant)).toEqual(content);
      bytes[at] = value;
      expect(read(resigned(bytes), tenant)).toBeUndefined();
    }
  });
});

function resigned(bytes: Buffer): string {
  const mac = createHmac("sha256", ring.newest.derive("cursor")).update(bytes.subarray(0, 32));
  return Buffer.concat([bytes.subarray(0, 32), mac.digest().subarray(0, 16)]).toString("base64url");
}
