import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHmacSha256 } from "../../src/hmac.ts";

/** Around the length from which another way is taken. */
const lengths = fc.oneof(fc.nat(1_000), fc.integer({ min: 8_000, max: 9_000 }));
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  lengths.map((length) => "ä".repeat(length)),
);
const bytes = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    lengths.map((length) => new Uint8Array(length).fill(7)),
  ),
  { nil: undefined },
);

describe("an HMAC", () => {
  test("is what node:crypto makes of the same, under several keys in turns", () => {
    const key = fc.uint8Array({ maxLength: 64 });
    const signed = fc.array(fc.tuple(fc.boolean(), text, bytes), { maxLength: 8 });
    fc.assert(
      fc.property(key, key, signed, (one, other, each) => {
        const hmacs = [createHmacSha256(one), createHmacSha256(other)] as const;
        for (const [second, start, rest] of each) {
          const expected = createHmac("sha256", second ? other : one).update(start);
          if (rest !== undefined) expected.update(rest);
          const digest = expected.digest();
          const hmac = hmacs[second ? 1 : 0];
          expect(hmac(start, rest, "base64")).toBe(digest.toString("base64"));
          expect(hmac(start, rest, "binary")).toBe(digest.toString("latin1"));
        }
      }),
    );
  });

  test("takes no key that its definition would have to hash first", () => {
    expect(() => createHmacSha256(new Uint8Array(65))).toThrow("65 bytes");
  });
});
