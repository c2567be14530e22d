/** What an endpoint's settings may be, and what a change of them means. */
import { describe, expect, test } from "vitest";
import { durationText, parseDelayMs, parseSpanMs } from "../../src/control/endpoints/durations.ts";
import { headerFault } from "../../src/control/endpoints/headers.ts";
import { rotate } from "../../src/control/endpoints/rotation.ts";
import {
  applyPatch,
  changesDelivery,
  defaultSettings,
  requireWithinLimits,
  type EndpointSettings,
  type SettingsPatch,
} from "../../src/control/endpoints/settings.ts";

const settings: EndpointSettings = {
  url: "https://example.com/",
  types: ["order.*"],
  subjects: ["a"],
  description: "one",
  metadata: { team: "billing" },
  headers: { "x-a": "1", "x-b": "2" },
  timeoutMs: 1_000,
  maxInFlight: 1,
  retryScheduleMs: [5_000],
  format: "cloudevents",
  ratePerSecond: 5,
  ordering: "fifo",
  giveUpAfterMs: 3_600_000,
  drainDeadLetters: false,
  requireReceipt: true,
  receiptTimeoutMs: 60_000,
};

describe("a merge-patch", () => {
  test.each<[SettingsPatch, Partial<EndpointSettings>]>([
    [{}, {}],
    [{ url: undefined, types: undefined }, {}],
    [{ url: "https://example.org/" }, { url: "https://example.org/" }],
    [{ types: ["a"] }, { types: ["a"] }],
    [
      { types: null, subjects: null },
      { types: null, subjects: null },
    ],
    [{ description: null }, { description: null }],
    [
      { timeoutMs: 2_000, maxInFlight: 7 },
      { timeoutMs: 2_000, maxInFlight: 7 },
    ],
    [
      { timeoutMs: null, maxInFlight: null },
      { timeoutMs: 5_000, maxInFlight: 50 },
    ],
    [{ retryScheduleMs: [] }, { retryScheduleMs: [] }],
    [
      { retryScheduleMs: null, format: null },
      { retryScheduleMs: null, format: "json" },
    ],
    [{ ratePerSecond: 0.5 }, { ratePerSecond: 0.5 }],
    [
      { ratePerSecond: null, ordering: null, giveUpAfterMs: null, drainDeadLetters: null },
      { ratePerSecond: null, ordering: "parallel", giveUpAfterMs: null, drainDeadLetters: true },
    ],
    [{ headers: { "x-a": null, "x-c": "3" } }, { headers: { "x-b": "2", "x-c": "3" } }],
    [{ headers: null }, { headers: {} }],
    [{ metadata: { team: "sales", a: "b" } }, { metadata: { team: "sales", a: "b" } }],
    [{ metadata: { unknown: null } }, {}],
    [{ metadata: null }, { metadata: {} }],
  ])("of %j changes %j", (patch, changed) => {
    expect(applyPatch(settings, patch)).toEqual({ ...settings, ...changed });
  });

  test("of nothing but nulls leaves the defaults", () => {
    const nulls = Object.fromEntries(Object.keys(defaultSettings).map((name) => [name, null]));
    const { url } = settings;
    expect(applyPatch(settings, nulls)).toEqual({ ...defaultSettings, url });
  });
});

describe("a change", () => {
  test.each<[SettingsPatch, boolean]>([
    [{}, false],
    [{ description: "two", metadata: { a: "b" } }, false],
    [{ headers: { "x-b": "2", "x-a": "1" } }, false],
    [{ url: "https://example.com/2" }, true],
    [{ types: ["order.*", "a"] }, true],
    [{ subjects: null }, true],
    [{ headers: { "x-a": "2" } }, true],
    [{ timeoutMs: 1_001 }, true],
    [{ maxInFlight: 2 }, true],
    [{ retryScheduleMs: null }, true],
    [{ format: "json" }, true],
    [{ ratePerSecond: null }, true],
    [{ ordering: "subject" }, true],
    [{ giveUpAfterMs: 7_200_000 }, true],
    [{ drainDeadLetters: true }, true],
  ])("by %j matters to deliveries: %s", (patch, matters) => {
    expect(changesDelivery(settings, applyPatch(settings, patch))).toBe(matters);
  });
});

describe("a rotation", () => {
  const at = 1_000_000;
  const old = (secret: string, expiresAt: number | null) => ({ secret, expiresAt });

  test.each<[string, [string, number | null][], number, [string, number | null][]]>([
    ["the newest gets an end", [["a", null]], 500, [["a", at + 500]]],
    [
      "without an overlap nothing stays",
      [
        ["b", null],
        ["a", at + 9_000],
      ],
      0,
      [],
    ],
    [
      "an earlier end stays",
      [
        ["b", null],
        ["a", at + 100],
      ],
      500,
      [
        ["b", at + 500],
        ["a", at + 100],
      ],
    ],
    [
      "a later end comes closer",
      [
        ["b", null],
        ["a", at + 900],
      ],
      500,
      [
        ["b", at + 500],
        ["a", at + 500],
      ],
    ],
    [
      "what has expired goes",
      [
        ["b", null],
        ["a", at],
      ],
      500,
      [["b", at + 500]],
    ],
    [
      "one that comes again stands once",
      [
        ["new", null],
        ["a", at + 100],
      ],
      500,
      [["a", at + 100]],
    ],
  ])("%s", (_, before, overlapMs, after) => {
    const secrets = before.map(([secret, end]) => old(secret, end));
    const expected = [old("new", null), ...after.map(([secret, end]) => old(secret, end))];
    expect(rotate(secrets, { secret: "new", at, overlapMs })).toEqual(expected);
  });

  test("keeps five at most, the newest", () => {
    let secrets = [old("0", null)];
    for (let n = 1; n <= 7; n += 1) {
      secrets = rotate(secrets, { secret: String(n), at: at + n, overlapMs: 60_000 });
    }
    expect(secrets.map(({ secret }) => secret)).toEqual(["7", "6", "5", "4", "3"]);
  });
});

describe("limits", () => {
  const many = (count: number, length: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`x-${index}`, "v".repeat(length)]),
    );
  const dayMs = 86_400_000;

  test.each<[Partial<EndpointSettings>, string | undefined]>([
    [{ metadata: many(50, 1) }, undefined],
    [{ metadata: many(51, 1) }, "/metadata"],
    [{ headers: many(32, 100) }, undefined],
    [{ headers: many(33, 1) }, "/headers"],
    [{ headers: many(3, 4_000) }, "/headers"],
    [{ retryScheduleMs: Array.from({ length: 6 }, () => dayMs) }, undefined],
    [{ retryScheduleMs: [...Array.from({ length: 6 }, () => dayMs), 1_000] }, "/retry_schedule"],
    [{ giveUpAfterMs: 6 * dayMs }, undefined],
    [{ giveUpAfterMs: 6 * dayMs + 1 }, "/give_up_after"],
  ])("case %#", (members, pointer) => {
    const check = () => requireWithinLimits({ ...settings, ...members }, 7);
    if (pointer === undefined) return expect(check).not.toThrow();
    expect(check).toThrow(expect.objectContaining({ slug: "invalid" }));
    expect(check).toThrow(pointer);
  });
});

describe("headers", () => {
  test.each([
    ["authorization", "Bearer abc"],
    ["X-Api-Key", "a\tb c"],
    ["x_1.2~", "~"],
  ])("%s: %j can be added", (name, value) => {
    expect(headerFault(name, value)).toBeUndefined();
  });

  test.each([
    "Host",
    "content-length",
    "Content-Type",
    "transfer-encoding",
    "connection",
    "upgrade",
    "user-agent",
    "traceparent",
    "webhook-signature",
    "Webhook-Anything",
    "tidegate-cursor",
    "proxy-authorization",
  ])("%s is reserved", (name) => {
    expect(headerFault(name, "x")).toBe("this header is reserved");
  });

  test.each(["", "a b", "a:b", "a\r\nb", "ü", "a".repeat(129)])("%j is no header name", (name) => {
    expect(headerFault(name, "x")).toBe("not a header name");
  });

  test.each(["", " a", "a ", "a\nb", "a\r\nhost: b", "a\0", "ü", "\u007f", "a".repeat(4_097)])(
    "%j is no header value, and is not repeated",
    (value) => {
      const fault = headerFault("x-a", value);
      expect(fault).toMatch(/^the value/);
      if (value.trim().length > 1) expect(fault).not.toContain(value);
    },
  );
});

describe("delays", () => {
  test.each([
    ["1s", 1_000, "1s"],
    ["1500ms", 1_500, "1500ms"],
    ["90s", 90_000, "90s"],
    ["120s", 120_000, "2m"],
    ["60m", 3_600_000, "1h"],
    ["24h", 86_400_000, "24h"],
  ])("%s is %i ms and shown as %s", (text, delayMs, shown) => {
    expect(parseDelayMs(text)).toBe(delayMs);
    expect(durationText(delayMs)).toBe(shown);
  });

  test.each(["", "5", "0s", "999ms", "25h", "1d", "-1s", "1.5s", " 1s"])("%j is none", (text) => {
    expect(parseDelayMs(text)).toBeUndefined();
  });

  test("a span may be longer than a day, and no shorter than a delay", () => {
    expect(parseSpanMs("36h")).toBe(129_600_000);
    expect(durationText(129_600_000)).toBe("36h");
    expect([parseSpanMs("999ms"), parseSpanMs("2d")]).toEqual([undefined, undefined]);
  });
});
