import { describe, expect, test } from "vitest";
import { authorize, scopes, type Access, type Principal, type Scope } from "../../src/http/auth.ts";
import { Problem } from "../../src/problem.ts";
import { acme } from "../support/http.ts";

const mayUse: Record<Scope, readonly Access[]> = {
  append: ["public", "append"],
  read: ["public", "read"],
  receive: ["public", "read", "receive"],
  manage: ["public", "append", "read", "receive", "manage"],
};

const accesses: readonly Access[] = ["public", "operator", ...scopes];

describe.each(scopes)("a key with the scope %s", (scope) => {
  test.each(accesses)("and a route for %s", (access) => {
    expect(refusal(keyWith([scope]), access)).toBe(
      mayUse[scope].includes(access) ? undefined : "scope-missing",
    );
  });
});

test("scopes add up, and an operator has them all", () => {
  expect(refusal(keyWith(["append", "read"]), "append")).toBeUndefined();
  expect(refusal(keyWith(["append", "read"]), "read")).toBeUndefined();
  expect(refusal(keyWith([]), "read")).toBe("scope-missing");
  for (const access of accesses) {
    expect(refusal({ kind: "operator", keyId: "key_1" }, access)).toBeUndefined();
  }
});

function keyWith(granted: readonly Scope[]): Principal {
  return {
    kind: "tenant",
    keyId: "key_1",
    tenant: acme,
    scopes: new Set(granted),
    expiresAt: null,
  };
}

function refusal(principal: Principal, access: Access): string | undefined {
  try {
    authorize(principal, access);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.slug;
    throw error;
  }
}
