/**
 * Events as fast-check draws them, in every form in which the API takes events: how each is
 * written, whether it has to be taken, and the envelope that it then has.
 */
import fc from "fast-check";
import { hostileText } from "./hostile.ts";
import { jsonTokens, spread, whiteSpace } from "./json-tokens.ts";

export type Draft = {
  readonly type: string;
  readonly source: string | undefined;
  readonly subject: string | undefined;
  readonly dataversion: string | undefined;
  readonly key: string | undefined;
  /** An attribute that means nothing to the gateway. Only CloudEvents have some. */
  readonly extension: string | number | boolean | undefined;
  readonly tokens: readonly string[];
  readonly spaces: readonly string[];
};

export type Result = { readonly status: number; readonly id?: string; readonly sequence?: string };

/** How drafts are put into one request, and where their results stand in its answer. */
export type Form = {
  write(drafts: readonly Draft[]): { headers: Record<string, string>; body: string };
  results(answer: string): Result[];
  /** Undefined where only the gateway knows. */
  isTakeable(draft: Draft): boolean | undefined;
  envelope(draft: Draft, given: Given): string;
};

/** What the append adds. */
export type Given = {
  readonly tenant: string;
  readonly id: string;
  readonly time: string;
  readonly sequence: string;
};

const readable = ["a", "/shop?a=1", "Füße → 🚀", '"\\,{}', "\u2028id: x"];

/** Mostly such as is taken, or no event would get through with five of them. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...readable) },
  { weight: 1, arbitrary: hostileText },
);

export const draft: fc.Arbitrary<Draft> = fc.record({
  type: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("order.created", "a", "a.b_c.D9") },
    { weight: 1, arbitrary: hostileText },
  ),
  source: fc.option(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom("/shop?a=1", "urn:a", "a") }, text),
    { nil: undefined },
  ),
  subject: fc.option(text, { nil: undefined }),
  dataversion: fc.option(text, { nil: undefined, freq: 2 }),
  key: fc.option(text, { nil: undefined, freq: 2 }),
  extension: fc.option(fc.oneof(text, fc.boolean(), fc.constantFrom(0, -1, 2 ** 31 - 1)), {
    nil: undefined,
    freq: 1,
  }),
  tokens: jsonTokens,
  spaces: whiteSpace,
});

const json = { "content-type": "application/json" };

export const forms: Readonly<Record<string, Form>> = {
  "an event": {
    write: ([first]) => ({ headers: json, body: first === undefined ? "{}" : plainText(first) }),
    results: oneResult,
    isTakeable: isPlainTakeable,
    envelope: plainEnvelope,
  },
  "a batch": {
    write: (drafts) => ({
      headers: json,
      body: `{ "events" : [ ${drafts.map(plainText).join(",\r\n")} ] }`,
    }),
    results: batchResults,
    isTakeable: isPlainTakeable,
    envelope: plainEnvelope,
  },
  lines: {
    write: (drafts) => ({
      headers: { "content-type": "application/x-ndjson" },
      body: drafts.map(plainText).join(drafts.length % 2 === 0 ? "\r\n \n" : "\n"),
    }),
    results: (answer) =>
      answer
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Result),
    isTakeable: isPlainTakeable,
    envelope: plainEnvelope,
  },
  "a CloudEvent": {
    write: ([first]) => ({
      headers: { "content-type": "application/cloudevents+json" },
      body: first === undefined ? "{}" : structuredText(first),
    }),
    results: oneResult,
    isTakeable: isCloudEventTakeable,
    envelope: cloudEnvelope,
  },
  "a batch of CloudEvents": {
    write: (drafts) => ({
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: `[\n${drafts.map(structuredText).join(" ,\t")}\r\n]`,
    }),
    results: batchResults,
    isTakeable: isCloudEventTakeable,
    envelope: cloudEnvelope,
  },
  "a CloudEvent in headers": {
    write: ([first]) => binary(first),
    results: oneResult,
    // What is half of a pair is sent as the character that stands for such.
    isTakeable: (given) => isCloudEventTakeable(wellFormed(given)),
    envelope: (given, by) => {
      const { extension, ...formed } = wellFormed(given);
      // Headers hold texts.
      return cloudEnvelope({ ...formed, extension: extension && String(extension) }, by);
    },
  },
};

function oneResult(answer: string): Result[] {
  return [{ status: 201, ...(JSON.parse(answer) as Partial<Result>) }];
}

function batchResults(answer: string): Result[] {
  return (JSON.parse(answer) as { results: Result[] }).results;
}

function plainText({ type, source, subject, dataversion, key, ...data }: Draft): string {
  return objectText({ type, source, subject, dataversion, key }, data);
}

function structuredText({ key, source = "/", extension, ...given }: Draft): string {
  const { type, subject, dataversion, ...data } = given;
  const attributes = { specversion: "1.0", id: key, source, type, subject, dataversion };
  return objectText({ ...attributes, ext: extension }, data);
}

function objectText(members: object, { tokens, spaces }: Pick<Draft, "tokens" | "spaces">): string {
  const set = Object.entries(members).filter(([, value]) => value !== undefined);
  const texts = set.map(([name, value]) => `"${name}" :${JSON.stringify(value)}`);
  return `{${[`"data":${spaces[0] ?? ""}${spread(tokens, spaces)}`, ...texts].join(" , ")}}`;
}

function binary(given: Draft | undefined) {
  if (given === undefined) return { headers: json, body: "" };
  const { key, source = "/", extension, type, subject, dataversion, ...data } = wellFormed(given);
  const attributes = { specversion: "1.0", id: key, source, type, subject, dataversion };
  const headers: Record<string, string> = { ...json };
  for (const [name, value] of Object.entries({ ...attributes, ext: extension })) {
    if (value !== undefined) headers[`ce-${name}`] = encodeURIComponent(value);
  }
  return { headers, body: spread(data.tokens, data.spaces) };
}

function wellFormed(given: Draft): Draft {
  const members = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === "string" ? value.toWellFormed() : value,
  ]);
  return Object.fromEntries(members) as Draft;
}

function isPlainTakeable(given: Draft): boolean | undefined {
  const { type, source, subject, dataversion, key } = given;
  const texts = isLine(subject, 1_024) && isLine(dataversion, 64);
  if (!isType(type) || !texts || !isStorable(key) || !isWithin(key, 256)) return false;
  return isSource(source);
}

function isType(type: string): boolean {
  return /^\w+(\.\w+)*$/.test(type) && isWithin(type, 256) && !/^tidegate(\.|$)/.test(type);
}

function isLine(value: string | undefined, maxLength: number): boolean {
  if (value === undefined) return true;
  return isStorable(value) && /^\P{Cc}+$/u.test(value) && isWithin(value, maxLength);
}

function isStorable(value = ""): boolean {
  return value.isWellFormed() && !value.includes("\0");
}

/** Counted as JSON Schema does, in code points. */
function isWithin(value = "", maxLength: number): boolean {
  return Array.from(value).length <= maxLength;
}

function isCloudEventTakeable(given: Draft): boolean | undefined {
  const { type, source = "/", subject, dataversion, key = "", extension } = given;
  const limits: (readonly [string | undefined, number])[] = [
    ...[[source, 1_024] as const, [subject, 1_024] as const],
    ...[[dataversion, 64] as const, [key, 256] as const],
  ];
  const fits = limits.every(([each, max]) => isAttribute(each) && (each?.length ?? 1) <= max);
  const isFilled = limits.every(([each]) => each !== "");
  const isExtension = typeof extension !== "string" || isAttribute(extension);
  if (!isType(type) || !fits || !isFilled || !isExtension) return false;
  if (typeof extension === "string" && extension.length > 10_000) return undefined;
  return isSource(source);
}

/** What else is a URI reference is another's question. */
function isSource(source = "/"): true | undefined {
  return /^(urn:a|[\w/]+(\?[\w=]+)?)$/.test(source) && source.length <= 1_024 ? true : undefined;
}

function isAttribute(value = ""): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value);
}

function plainEnvelope(given: Draft, by: Given): string {
  return cloudEnvelope({ ...given, extension: undefined }, by, `/tenants/${by.tenant}`);
}

function cloudEnvelope(given: Draft, by: Given, defaultSource = "/"): string {
  const { type, source = defaultSource, subject, dataversion = "1", tokens, extension } = given;
  const { tenant, id, time, sequence } = by;
  const start = { specversion: "1.0", id, source, type, time, subject };
  const end = {
    datacontenttype: "application/json",
    dataversion,
    tenant,
    ext: extension,
    sequence,
  };
  return `${JSON.stringify({ ...start, ...end }).slice(0, -1)},"data":${tokens.join("")}}`;
}
