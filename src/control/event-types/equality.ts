/**
 * `const`, `enum` and `uniqueItems` by our own hand, since ajv's take time and trust that data of
 * strangers must not be given: it compares every item of a list with every other (half a megabyte
 * of small arrays would stop the process for minutes), each item with every value of a long
 * `enum`, and calls `valueOf` on objects, which may have a member of that name.
 */
import type { Ajv2020 } from "ajv/dist/2020.js";

export function defineEquality(ajv: Ajv2020): void {
  for (const keyword of ["const", "enum", "uniqueItems"]) ajv.removeKeyword(keyword);
  ajv.addKeyword({ keyword: "const", compile: (value: unknown) => oneOf([value]) });
  ajv.addKeyword({ keyword: "enum", schemaType: "array", compile: oneOf });
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    compile: (isWanted: boolean) => (isWanted ? areDifferent : () => true),
  });
}

function oneOf(values: readonly unknown[]): (value: unknown) => boolean {
  const plain = new Set(values.filter((value) => !isComposed(value)));
  const composed = new Set(values.filter(isComposed).map(canonical));
  return (value) =>
    isComposed(value) ? composed.size > 0 && composed.has(canonical(value)) : plain.has(value);
}

function areDifferent(items: readonly unknown[]): boolean {
  return new Set(items.map(canonical)).size === items.length;
}

function isComposed(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The same text for values that are equal in JSON, and for no others. */
function canonical(value: unknown): string {
  // Not JSON.stringify: 1e400 was parsed as infinite, and would become null.
  if (typeof value === "number") return String(value);
  if (!isComposed(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`,
  );
  return `{${members.toSorted().join()}}`;
}
