import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventsFrame, Frame } from "../../src/fanout/fanout.ts";
import { decodeFrame, encodeFrame, frameBytesMax } from "../../src/fanout/frame.ts";
import type { LogEvent, TenantId } from "../../src/log/event.ts";

const tenant = "7b1f3d52-6f0e-4a52-9a39-6d1a9a1f7c11" as TenantId;

function eventsFrame(first: number, envelopes: readonly string[]): EventsFrame {
  const events = envelopes.map((envelope, index): LogEvent => {
    const appendedAt = 1_790_000_000_000 + index;
    const subject = index % 2 === 0 ? null : "order/7";
    const common = { sequence: first + index, day: "2026-11-23", type: "a.b", appendedAt };
    return { ...common, subject, envelope };
  });
  return { kind: "events", tenant, shard: 7, first, last: first + events.length - 1, events };
}

const anyEvents = fc
  .tuple(
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 100 }),
    fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), { minLength: 1, maxLength: 20 }),
  )
  .map(([first, envelopes]) => eventsFrame(first, envelopes));

const anyChange = fc.record({
  kind: fc.constant("changed" as const),
  shard: fc.nat(255),
  tenant: fc.option(fc.constant(tenant)),
  what: fc.constantFrom("endpoints", "keys", "tenants", "event-types"),
});

const anyReceipt = fc.record({
  kind: fc.constant("receipt" as const),
  shard: fc.nat(255),
  tenant: fc.constant(tenant),
  endpoint: fc.uuid(),
  version: fc.nat(),
  through: fc.maxSafeNat(),
  moved: fc.option(fc.record({ day: fc.constant("2026-11-23"), matched: fc.maxSafeNat() })),
  sequences: fc.option(fc.array(fc.maxSafeNat())),
  failed: fc.boolean(),
});

test("any frame comes back as it was, character for character", () => {
  fc.assert(
    fc.property(fc.oneof(anyEvents, anyChange, anyReceipt), (frame: Frame) => {
      expect(decodeFrame(encodeFrame(frame))).toEqual({ frame });
    }),
  );
});

test("envelopes travel as the bytes the log holds", () => {
  const envelopes = ['{"data":1.0}', '{"data":"π 𝄞 é \\u00e9"}', '{"data":12345678901234567890}'];
  const bytes = encodeFrame(eventsFrame(1, envelopes));
  expect(bytes.subarray(-Buffer.byteLength(envelopes.join(""))).toString()).toBe(
    envelopes.join(""),
  );
});

test("a frame above 256 KiB goes as numbers only, one at the limit with its events", () => {
  const overhead = encodeFrame(eventsFrame(41, ["", ""])).length;
  // The envelope's length takes six digits of the header where it took one.
  const fits = "x".repeat(frameBytesMax - overhead - 5);
  const atLimit = eventsFrame(41, ["", fits]);
  expect(encodeFrame(atLimit)).toHaveLength(frameBytesMax);
  expect(decodeFrame(encodeFrame(atLimit))).toEqual({ frame: atLimit });

  const above = eventsFrame(41, ["", `${fits}x`]);
  expect(decodeFrame(encodeFrame(above))).toEqual({ frame: { ...above, events: null } });
  const manyBytes = eventsFrame(41, ["π".repeat(frameBytesMax / 2)]);
  expect(decodeFrame(encodeFrame(manyBytes))).toEqual({ frame: { ...manyBytes, events: null } });
  const small = eventsFrame(1, ["{}"]);
  expect(decodeFrame(encodeFrame(small, 100))).toEqual({ frame: { ...small, events: null } });
});

test("bytes of somebody else are unreadable and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(decodeFrame(bytes)).toHaveProperty("unreadable");
    }),
  );
});

test("a frame that was cut, lengthened or of a newer version is unreadable", () => {
  const whole = encodeFrame(eventsFrame(3, ['{"a":1}', '{"b":"é"}']));
  for (let length = 0; length < whole.length; length += 1) {
    expect(decodeFrame(whole.subarray(0, length))).toHaveProperty("unreadable");
  }
  expect(decodeFrame(Buffer.concat([whole, Buffer.from("x")]))).toHaveProperty("unreadable");
  const newer = Buffer.from(whole);
  newer[0] = 2;
  expect(decodeFrame(newer)).toEqual({ unreadable: "version 2" });
});

test("a damaged frame is unreadable or a frame, and never throws", () => {
  const whole = encodeFrame(eventsFrame(3, ['{"a":1}', '{"b":"é"}']));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(whole);
      damaged[at] = value;
      const decoded = decodeFrame(damaged);
      expect("frame" in decoded || "unreadable" in decoded).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["no object", "7"],
  ["null", "null"],
  ["unknown kind", '{"kind":"gossip","shard":1}'],
  ["unknown change", '{"kind":"changed","shard":1,"tenant":null,"what":"moon"}'],
  [
    "sequences that are none",
    '{"kind":"receipt","shard":1,"tenant":"t","endpoint":"e","version":1,"through":0,"moved":null,"sequences":["1"],"failed":false}',
  ],
  ["no shard", '{"kind":"changed","tenant":null,"what":"keys"}'],
  ["tenant of a wrong type", '{"kind":"changed","shard":1,"tenant":7,"what":"keys"}'],
  [
    "last before first",
    '{"kind":"events","tenant":"t","shard":1,"first":2,"last":1,"events":null}',
  ],
  ["sequence 0", '{"kind":"events","tenant":"t","shard":1,"first":0,"last":0,"events":null}'],
  ["fraction", '{"kind":"events","tenant":"t","shard":1,"first":1.5,"last":2.5,"events":null}'],
  ["too few events", '{"kind":"events","tenant":"t","shard":1,"first":1,"last":2,"events":[]}'],
  ["events missing", '{"kind":"events","tenant":"t","shard":1,"first":1,"last":1}'],
  ["odd event", '{"kind":"events","tenant":"t","shard":1,"first":1,"last":1,"events":[[1,2]]}'],
  [
    "negative length",
    '{"kind":"events","tenant":"t","shard":1,"first":1,"last":1,"events":[["d","t",null,1,-1]]}',
  ],
])("a header with %s is unreadable", (_, header) => {
  const bytes = Buffer.concat([Buffer.from([1, 0, 0, 0, header.length]), Buffer.from(header)]);
  expect(decodeFrame(bytes)).toEqual({ unreadable: "not a frame's header" });
});
