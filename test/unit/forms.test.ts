import { expect, test } from "vitest";
import {
  isBase64,
  isMediaType,
  isPlainText,
  isTime,
  isUri,
  isUriReference,
} from "../../src/ingest/forms.ts";

type Form = (text: string) => boolean;

test.each<[string, Form, string[], string[]]>([
  [
    "an RFC 3339 time",
    isTime,
    [
      ...["2026-11-23T12:00:00Z", "2026-11-23t12:00:00.123456789z", "2024-02-29T23:59:59+14:00"],
      ...["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9-23:59"],
    ],
    [
      ...["2026-11-23", "2026-11-23 12:00:00Z", "2026-11-23T12:00Z", "2026-11-23T12:00:00"],
      ...["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "now", ""],
      ...["2026-11-23T12:00:00.Z", "2026-11-23T12:00:00+1:00", "2026-11-23T12:00:00Z\n"],
    ],
  ],
  [
    "a URI reference",
    isUriReference,
    [
      ...["/", "", "a", "a/b:c", "./a:b", "?q", "#f", "//host:80/x", "https://[::1]:8/a?b#c"],
      ...["urn:uuid:6e8bc430", "mailto:a@b.example", "/tenants/acme", "%41"],
    ],
    ["a b", "é", "1a:b", "%4", "%zz", "a\\b", "https://exa mple", "a#b#c", "<a>", "a\n", "[::1]"],
  ],
  [
    "a URI",
    isUri,
    ["https://example.com/schema.json#/x", "urn:x", "a+b-c.d:"],
    ["/relative", "//host", "", "1:x", "example.com/x"],
  ],
  [
    "a media type",
    isMediaType,
    ["application/json", "text/plain; charset=utf-8", 'a/b;c="d; \\"e"', "image/svg+xml ;a=b"],
    ["", "json", "a/", "/b", "a/b;", "a/b; c", "a/b c", "a/b;c=", "a/b\n"],
  ],
  [
    "a text without forbidden characters",
    isPlainText,
    ["", "é😀\u2028 ~"],
    [
      ...[
        "\0",
        "\n",
        "\u007f",
        "\u0085",
        "\ud800",
        "\udc00\ud800",
        "\ufdd0",
        "\uffff",
        "\u{1fffe}",
      ],
    ],
  ],
  ["base64", isBase64, ["", "AP8=", "AP8B"], ["A", "AP8", "AP9=", "AP_-", "A P8="]],
])("%s is told from what is none", (_, is, those, others) => {
  expect(those.filter((text) => !is(text))).toEqual([]);
  expect(others.filter((text) => is(text))).toEqual([]);
});

test.each([isUriReference, isUri, isMediaType, isTime])(
  "long texts that almost fit cost little",
  (is) => {
    for (const text of ["a/".repeat(5_000), "%41".repeat(5_000), "a/b;c=d".repeat(2_000)]) {
      const startedAt = performance.now();
      is(`${text}\\`);
      expect(performance.now() - startedAt).toBeLessThan(500);
    }
  },
);
