/** Values that have broken servers before, as fast-check draws them: texts, JSON and headers. */
import fc from "fast-check";

/** What a forged block or header would begin with; no answer may hold it outside of JSON. */
const forgedBlock = "\n\ndata: forged\n\n";
const forgedHeader = "\r\nx-forged: 1\r\n\r\n";

const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code));

const memorable = [
  ...["", " ", "\0", "a\0b", "\r", "\n", "\r\n", "\t", "\u0085", "\u2028", "\u2029", "\ufeff"],
  ...[forgedBlock, forgedHeader, "\rdata: forged\r\r", "\u2028data: forged\u2028"],
  ...["\ud83d", "\ude80", "\ude80\ud83d", "🚀", "e\u0301", "\u202e", "\uffff", "\u{10ffff}"],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length"],
  ...["null", "undefined", "NaN", "true", "0", "-0", "1e400", "[]", "{}", "[object Object]"],
  ...["*", "a.*", "a.*.b", ".", "..", "a..b", "tidegate.test", "tidegate", "TIDEGATE.x", ",", "\\"],
  ...["'; drop table events --", "{1,2}", "$1", "%", "%s", "%00", "%zz", "${x}", "../../etc"],
  ...[
    "http://127.0.0.1:1/",
    "http://[::1]/",
    "http://169.254.169.254/",
    "file:///x",
    "http://a\r\nb",
  ],
  ...[
    "whsec_",
    "whsec_AAAA",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
  ],
  ...[
    "-271821-04-20T00:00:00Z",
    "+275760-09-13T00:00:00Z",
    "2026-11-23T12:00:00+23:59",
    "1s",
    "0s",
  ],
  ...["http://[::1]/¡", "https://grüße.example/{a|b}", "https://x.example/\ud83d"],
  ...["evt_2026-11-23_0000000000000000", "ep_", "9007199254740993", "1".repeat(400)],
];

/** Around the limits of members, and far beyond all of them. */
const lengths = [64, 65, 128, 129, 256, 257, 1_024, 1_025, 4_097, 8_193, 100_000];

const long = fc
  .tuple(fc.constantFrom("a", "é", "🚀", "\0", "\u2028", ".a", ","), fc.constantFrom(...lengths))
  .map(([unit, length]) => unit.repeat(length));

const piece = fc.oneof(
  fc.constantFrom(...memorable),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: "binary-ascii", maxLength: 8 }),
  surrogate,
);

/** Any text, also such as is no Unicode. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: piece },
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join("")) },
  { weight: 1, arbitrary: long },
);

const numbers =
  "0 -0 1 -1 1.0 1.5 1e2 1e400 -1e400 1e-400 2147483648 9007199254740993 99999999999999999999";

const invalidUtf8 = ["ff", "c080", "eda080", "f4908080", "e282", "80", "fe", "22ff"];

/** Levels that are taken, the first that are not, and those that end a recursion. */
const depths = [10, 63, 64, 65, 66, 67, 68, 10_000];

const nested = fc
  .tuple(
    fc.constantFrom(...depths),
    fc.constantFrom(["[", "]"], ['{"a":', "}"], ['[{"b":[', "]}]"]),
  )
  .map(([depth, [open = "", close = ""]]) => `${open.repeat(depth)}1${close.repeat(depth)}`);

const hugeArray = fc
  .tuple(fc.constantFrom("0", '""', "{}", "[]", "null"), fc.constantFrom(1_001, 50_000))
  .map(([item, count]) => `[${Array.from({ length: count }, () => item).join(",")}]`);

const notJson = ["", "{", "[", "]", "nul", "'a'", "NaN", "-", "01", "+1", '"\\x"', '"\n"', "{a:1}"];

const name = fc.oneof(hostileText, fc.constantFrom("type", "data", "tenant", "events", "url"));

/** The text of one JSON value, seldom something else, and not always valid UTF-8. */
export const hostileJson: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 8, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
    { weight: 2, arbitrary: hostileText.map(escaped) },
    { weight: 4, arbitrary: fc.constantFrom(...numbers.split(" "), "true", "false", "null") },
    { weight: 2, arbitrary: nested },
    { weight: 1, arbitrary: hugeArray },
    {
      weight: 2,
      arbitrary: fc.array(hostileText, { maxLength: 3 }).map((all) => JSON.stringify(all)),
    },
    { weight: 3, arbitrary: objects() },
    { weight: 2, arbitrary: fc.constantFrom(...notJson) },
    { weight: 2, arbitrary: fc.constantFrom(...invalidUtf8).map(quotedBytes) },
  )
  .map((text) => (typeof text === "string" ? Buffer.from(text) : text));

/** A header's value; not what would end its line, which would only be another header. */
export const hostileHeader: fc.Arbitrary<string> = fc
  .oneof(
    hostileText,
    fc.constantFrom('"a"', '""', "W/", ",,", "a=b; c", "\t", "\x80\xff", "*/*;q=9", "wait=1e9"),
  )
  .map((text) =>
    Buffer.from(text)
      .toString("latin1")
      .replaceAll(/\r\n|\n/g, " "),
  );

/** In a query or path as a client would write it, or as it comes. */
export const hostileParameter: fc.Arbitrary<string> = fc.oneof(
  hostileText.map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom("%", "%0", "%zz", "%00", "%ff", "%c0%80", "%ed%a0%80", "%2e%2e", "%2f", "+", ";"),
  hostileText.map((text) => Buffer.from(text).toString("latin1").replaceAll(/[\s#]/g, "")),
);

/** Members with names that repeat, or mean something to JavaScript. */
function objects(): fc.Arbitrary<string> {
  const plain = fc.constantFrom("1", "null", '"a"', "[]", "{}");
  const member = fc.tuple(name, plain).map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  return fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(",")}}`);
}

/** Every code unit as an escape. */
function escaped(text: string): string {
  const units = text.slice(0, 2_000).split("");
  const hex = (unit: string) => unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `"${units.map((unit) => `\\u${hex(unit)}`).join("")}"`;
}

function quotedBytes(hex: string): Buffer {
  return Buffer.concat([Buffer.from('"'), Buffer.from(hex, "hex"), Buffer.from('"')]);
}
