import { expect, test } from "vitest";
import { eventFingerprint, eventId, parseEventId } from "../../src/log/event.ts";

const id = "evt_2026-11-23_6f1c2a520b7e4d7d4129b5a1c07";
const envelope = `{"specversion":"1.0","id":"${id}","source":"/"}`;

test("an id tells the tenant's prefix, the day and the sequence", () => {
  expect(parseEventId(id)).toEqual({
    tenantPrefix: "6f1c2a520b7e4d7d",
    position: { sequence: 0x412, day: "2026-11-23" },
  });
  expect(eventId({ envelope })).toBe(id);
  expect(eventFingerprint({ envelope })).toBe(0x9b5a1c07);
});

test.each([
  "",
  "evt_",
  id.slice(0, -7),
  `${id} `,
  id.toUpperCase(),
  id.replace("evt", "dlv"),
  id.replace("2026-11-23", "2026-02-30"),
  id.replace("2026-11-23", "0000-00-00"),
  id.replace("4129b5", "0129b5"),
  id.replace("412", "f".repeat(14)),
  id.replace("412", "1".repeat(100)),
])("%j is no id of an event", (text) => {
  expect(parseEventId(text)).toBeUndefined();
});
