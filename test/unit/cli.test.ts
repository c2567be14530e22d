/** What the command line does with text, without a gateway. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createExactData, memberText } from "../../src/cli/exact-data.ts";
import { dataText, elementsOf } from "../../src/cli/exact-text.ts";
import { progressText } from "../../src/cli/replay.ts";

test("the texts of a page's events are found whatever they hold", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (events) => {
      const texts = events.map((event) => JSON.stringify(event));
      const page = `{"events":[${texts.join(",")}],"cursor":"c","has_more":false}`;
      expect(elementsOf(page)).toEqual(texts);
    }),
  );
});

test("a member's text is found as it stands, whatever is around it", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (others, data) => {
      const object = JSON.stringify({ ...others, data }, null, 1);
      expect(JSON.parse(memberText(object, "data") ?? "")).toEqual(
        JSON.parse(JSON.stringify(data)),
      );
    }),
  );
  expect(memberText('{"data":1,"a":{"data":2},"data": 3.0 }', "data")).toBe("3.0");
  expect(memberText('{"a":{"data":2}}', "data")).toBeUndefined();
  expect(dataText('{"subject":"\\"data\\":1","data":{"data":1.0}}')).toBe('{"data":1.0}');
});

test("a payload that would change is sent as it came, and is as long until then", () => {
  const exact = createExactData();
  const texts = [
    '{"a": 1.0}',
    "12345678901234567890",
    '{"b":1}',
    '"\\u0041"',
    `[${"1.0,".repeat(99)}1]`,
  ];
  const held = texts.map((text) => exact.hold(text));
  const body = JSON.stringify({ events: held.map(({ data }) => ({ data })) });
  const wanted = `{"events":[${texts.map((text) => `{"data":${text}}`).join(",")}]}`;
  expect(body.length).toBeGreaterThanOrEqual(wanted.length);
  expect(exact.restore(body)).toBe(wanted);
  for (const { release } of held) release();
  expect(exact.restore("{}")).toBe("{}");
});

test("a progress bar tells how far it is, and what it waits for", () => {
  const job = { sent: 100, failed: 100, total: 800, waiting_for: null };
  expect(progressText(job)).toBe(
    `[${"#".repeat(7)}${" ".repeat(23)}]  25 %  100 of 800 sent, 100 failed`,
  );
  expect(progressText({ ...job, total: null, waiting_for: "circuit" })).toBe(
    "100 sent, 100 failed, waits: circuit open",
  );
});
