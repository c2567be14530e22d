/** The ids of deliveries. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryId, parseDeliveryId } from "../../src/deliveries/delivery-id.ts";
import { dayNumbered } from "../../src/log/event.ts";

const name = {
  tenantPrefix: "6f1c2a520b7e4d7d",
  endpoint: "019ab1c2-d3e4-7f5a-8b6c-7d8e9f0a1b2c",
  position: { sequence: 1_042, day: "2026-11-23" },
};

const id = "dlv_6f1c2a520b7e4d7d019ab1c2d3e47f5a8b6c7d8e9f0a1b2c512c412";

const anyName = fc.record({
  tenantPrefix: fc.uuid().map((uuid) => uuid.replaceAll("-", "").slice(0, 16)),
  endpoint: fc.uuid(),
  position: fc.record({
    sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    day: fc.integer({ min: 0, max: 0xffff }).map(dayNumbered),
  }),
});

describe("the id of a delivery", () => {
  test("has the documented form", () => {
    expect(deliveryId(name)).toBe(id);
    expect(parseDeliveryId(id)).toEqual(name);
  });

  test("is lower-case letters and digits, and names its delivery alone", () => {
    fc.assert(
      fc.property(anyName, (one) => {
        const text = deliveryId(one);
        expect(text).toMatch(/^dlv_[a-z0-9]{53,66}$/);
        expect(parseDeliveryId(text)).toEqual(one);
      }),
    );
  });

  test.each([
    ["nothing", ""],
    ["only its start", "dlv_"],
    ["no start", id.slice(4)],
    ["another start", id.replace("dlv", "evt")],
    ["upper case", id.toUpperCase()],
    ["a dash", id.replace("019ab1c2", "019ab1c-")],
    ["no sequence", id.slice(0, -3)],
    ["a sequence with a leading zero", `${id.slice(0, -3)}0412`],
    ["the sequence 0", `${id.slice(0, -3)}0`],
    ["a sequence that is no exact number", `${id.slice(0, -3)}20000000000001`],
    ["a sequence that is too long", `${id.slice(0, -3)}100000000000000`],
    ["a space at its end", `${id} `],
    ["a line break at its end", `${id}\n`],
    ["what is no digit", `${id}g`],
  ])("is not one with %s", (_, text) => {
    expect(parseDeliveryId(text)).toBeUndefined();
  });

  test("has no second form", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^dlv_[0-9a-f]{53,66}$/), (text) => {
        const parsed = parseDeliveryId(text);
        if (parsed !== undefined) expect(deliveryId(parsed)).toBe(text);
      }),
    );
  });
});
