import { expect, test } from "vitest";
import type { Tenant } from "../../src/http/auth.ts";
import { cutToPace } from "../../src/ingest/slices.ts";
import type { TenantId } from "../../src/log/event.ts";
import type { NewEvent } from "../../src/log/new-event.ts";
import { Problem } from "../../src/problem.ts";
import { unlimited } from "../support/tenant.ts";

function tenantOf(name: string, appendsPerSecond: number | null): Tenant {
  const limits = { ...unlimited.limits, appendsPerSecond };
  return { id: name as TenantId, name, shard: 0, ...unlimited, limits };
}

const tenants = new Map(
  [tenantOf("a", 2), tenantOf("b", 1), tenantOf("free", null)].map((one) => [one.id, one]),
);

/** `a`, `b` and `f` are events of these tenants, `!` is a problem. */
function slicesOf(window: string): string[] {
  const events = window.split("").map((letter) => {
    if (letter === "!") return new Problem("invalid");
    return { tenant: letter === "f" ? "free" : letter } as NewEvent;
  });
  const lines = events.map((_, index) => index);
  return cutToPace({ events, tenants }, lines).map((slice) =>
    slice.lines.map((line) => window[line]).join(""),
  );
}

test.each([
  ["", [""]],
  ["aa", ["aa"]],
  ["aaa", ["aa", "a"]],
  ["a!f!affa!", ["a!f!aff", "a!"]],
  ["ababab", ["aba", "ba", "b"]],
  ["ffff!", ["ffff!"]],
])("the window %j is cut where a tenant would have more than a second's worth", (window, cut) => {
  expect(slicesOf(window)).toEqual(cut);
});

test("a window without limits is left whole", () => {
  const events = [new Problem("invalid")];
  expect(cutToPace({ events, tenants: new Map() }, [7])).toEqual([
    { lines: [7], events, counts: new Map() },
  ]);
});
