import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toNewEvent } from "../../src/ingest/event.ts";
import { readStructured } from "../../src/ingest/cloudevents.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { traceMembers, traceOf } from "../../src/log/trace-members.ts";
import { parseTraceContext } from "../../src/telemetry/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${spanId}-01`;

test("a traceparent names the trace, the span and whether it is sampled", () => {
  expect(parseTraceContext(traceparent, "a=1, b@c=x y")).toEqual({
    ...{ traceId, spanId, sampled: true, isRemote: true, traceparent },
    tracestate: "a=1, b@c=x y",
  });
  expect(parseTraceContext(`00-${traceId}-${spanId}-00`, undefined)?.sampled).toBe(false);
  expect(parseTraceContext(`00-${traceId}-${spanId}-03`, undefined)?.sampled).toBe(true);
});

test.each([`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-what-the-future-brings`])(
  "%s of a later version is understood as far as this one goes",
  (text) => {
    expect(parseTraceContext(text, undefined)).toMatchObject({
      traceId,
      spanId,
      traceparent: text,
    });
  },
);

test.each([
  "",
  traceparent.toUpperCase(),
  `${traceparent}-`,
  `${traceparent} `,
  ` ${traceparent}`,
  `${traceparent}\n`,
  `${traceparent}, ${traceparent}`,
  traceparent.slice(0, -1),
  `ff-${traceId}-${spanId}-01`,
  `01-${traceId}-${spanId}-01x`,
  `01-${traceId}-${spanId}-01-"`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00_${traceId}-${spanId}-01`,
])("%j is none", (text) => {
  expect(parseTraceContext(text, undefined)).toBeUndefined();
});

test.each(["a", "A=1", "a=b=c", "a=1\r\nx: y", `a=${"x".repeat(512)}`, "a=ü"])(
  "tracestate %j is left out, and the trace goes on",
  (text) => {
    expect(parseTraceContext(traceparent, text)).toMatchObject({ tracestate: undefined, traceId });
  },
);

// Of a form that could be read in two ways, each of fifty members would double the time at least.
test.each([
  `${`${" ".repeat(9)},`.repeat(51)}!`,
  `${`a=b${" ".repeat(9)},`.repeat(39)}!`,
  `${" \t,".repeat(170)}!`,
  `${",".repeat(511)}!`,
  `${" ".repeat(511)}!`,
  `a=${" ".repeat(509)}=`,
])("tracestate %j takes no longer than another", { timeout: 10_000 }, (text) => {
  expect(text.length).toBeLessThanOrEqual(512);
  expect(parseTraceContext(traceparent, text)).toMatchObject({ tracestate: undefined, traceId });
});

test.each(["a=1,,b=2", " a=1 ,\t", `a=${" ".repeat(255)}x`, `${"a=b,".repeat(127)}a=b`])(
  "tracestate %j goes on as it is",
  (text) => {
    expect(parseTraceContext(traceparent, text)).toMatchObject({ tracestate: text });
  },
);

test("events of all versions of the schema are read, and have the trace that they say", () => {
  for (const version of ["0002_outcomes", "0004_append_content"]) {
    const file = new URL(`../golden/${version}/envelopes.txt`, import.meta.url);
    const envelopes = readFileSync(file, "utf8").trim().split("\n");
    expect(envelopes.length).toBeGreaterThan(5);
    for (const envelope of envelopes) {
      const { traceparent: own } = JSON.parse(envelope) as { traceparent?: string };
      expect(traceOf({ envelope })?.traceparent).toBe(own);
    }
  }
});

/**
 * Goal: what is read is what a JSON parser finds in the members of the envelope, and never a part
 * of a value or of the data. Method: events of the shapes in which producers send them, with the
 * pieces in all texts that could be mistaken for it.
 */
test("the trace of an envelope is that of its member and of nothing that looks like it", () => {
  const pieces = [
    ...['"traceparent":"', 'traceparent":"', "traceparent", '"', "\\", ",", '"data":', "ü", "😀"],
    ...['"sequence":"', 'sequence":"', traceparent, '"tracestate":"a=1"', `{"traceparent":"x"}`],
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((each) => each.join(""));
  const names = ["traceparent", "xtraceparent", "tracestate", "xsequence", "a", "traceparent2"];
  const value = fc.oneof(text, fc.constant(traceparent), fc.integer({ max: 99 }), fc.boolean());
  const extensions = fc.dictionary(fc.constantFrom(...names), value);
  const given = fc.option(
    fc.constantFrom(
      { traceparent, tracestate: undefined },
      { traceparent, tracestate: 'a="\\\\,b=1' },
    ),
    { nil: undefined },
  );
  const property = fc.property(
    ...([extensions, text, text, given] as const),
    (others, subject, data, context) => {
      const cloudEvent = { specversion: "1.0", id: "1", source: "/", type: "a", ...others };
      const about = { ...cloudEvent, ...(subject !== "" && { subject }), data };
      const raw = { text: JSON.stringify(data), depth: 0, repeated: false };
      const { input, content } = readStructured(about, raw);
      const members = traceMembers(context);
      const trace = { members, spanOf: () => undefined };
      const { start, middle, content: end } = toNewEvent(tenant, input, content, trace);
      const head = `{"specversion":"1.0","id":"evt_2026-11-23_${"0".repeat(25)}",${start}`;
      const time = '"time":"2026-11-23T12:00:00.000Z",';
      const sequence = `"sequence":"${"0".repeat(20)}"`;
      const envelope = `${head}${time}${middle}${sequence}${end}}`;

      const parsed = JSON.parse(envelope) as Record<string, unknown>;
      const own = "traceparent" in others || "tracestate" in others;
      const expected = own ? others["traceparent"] : context?.traceparent;
      expect(parsed["traceparent"]).toBe(expected);
      const isOne = parseTraceContext(String(expected), undefined) !== undefined;
      const found = traceOf({ envelope });
      expect(found?.traceparent).toBe(isOne ? expected : undefined);
      if (!own) expect(found?.tracestate).toBe(context?.tracestate);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

const tenant: Tenant = {
  ...({ id: "5d599834-497f-4a6b-a120-c0ffee000000" } as Pick<Tenant, "id">),
  ...{ name: "acme", shard: 0, erasing: false },
  limits: { appendsPerSecond: null, readsPerSecond: null, pushesPerSecond: null, endpoints: null },
};
