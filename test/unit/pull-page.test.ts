import { expect, test } from "vitest";
import { namesTag } from "../../src/http/etag.ts";
import { pageHeaders, pageTag, pageText } from "../../src/pull/page.ts";
import type { Page } from "../../src/pull/pull.ts";

const page: Page = {
  events: '{"n":1.0},{"n":1e21}',
  cursor: "c".repeat(64),
  head: 1_042,
  hasMore: true,
  end: { sequence: 10, day: "2026-11-23" },
  lastingFrom: undefined,
};

test("a page holds its events as they are", () => {
  expect(pageText(page, "page")).toBe(
    `{"events":[{"n":1.0},{"n":1e21}],"cursor":"${page.cursor}","has_more":true}`,
  );
  expect(pageText(page, "batch")).toBe('[{"n":1.0},{"n":1e21}]');
  expect(pageText({ ...page, events: "" }, "batch")).toBe("[]");
});

test.each([
  ["/events", `/events?cursor=${page.cursor}`],
  ["/events?from=latest", `/events?cursor=${page.cursor}`],
  ["/events?cursor=old&rebase=true&limit=5", `/events?cursor=${page.cursor}&limit=5`],
  ["/events?types=a.*,b&wait=9", `/events?types=a.*%2Cb&wait=9&cursor=${page.cursor}`],
  [
    "/events?subjects=%3E%22%0D%0A%C3%A9",
    `/events?subjects=%3E%22%0D%0A%C3%A9&cursor=${page.cursor}`,
  ],
])("the page of %s links to %s", (target, next) => {
  const headers = pageHeaders(page, "page", target);
  expect(headers["link"]).toBe(`<${next}>; rel="next"`);
  expect(headers["tidegate-head"]).toBe("00000000000000001042");
});

test("only a page that never changes has a tag, and each form has its own", () => {
  const lasting = { ...page, lastingFrom: 7 };
  expect(pageHeaders(page, "page", "/events")).not.toHaveProperty("cache-control");
  expect(pageTag(page, "page")).toBeUndefined();
  const tags = [
    pageTag(lasting, "page"),
    pageTag(lasting, "batch"),
    pageTag({ ...lasting, lastingFrom: 8 }, "page"),
    pageTag({ ...lasting, cursor: "d".repeat(64) }, "page"),
  ];
  expect(new Set(tags).size).toBe(4);
  for (const tag of tags) expect(tag).toMatch(/^"[\w.-]+"$/);
});

test.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
])("If-None-Match: %s names the tag: %j", (header, named) => {
  expect(namesTag(header, '"a"')).toBe(named);
  expect(namesTag(header, undefined)).toBe(false);
});
