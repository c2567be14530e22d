/**
 * Sends payloads in the bytes in which they came: `1.0`, `1e21` and the end of large numbers would
 * not survive becoming an object and text again. A payload that would change travels through the
 * library as a string of the same length, and takes its place again in the request.
 */
import { randomUUID } from "node:crypto";
import type { Fetch } from "../client/connection.ts";

export type ExactData = {
  /** To be given to a producer. */
  readonly fetch: Fetch;
  /** A body with the payloads in their places, as `fetch` sends it. */
  restore(body: string): string;
  /** What stands for a payload; throws when it is not JSON. Keep it until the event is settled. */
  hold(text: string): { readonly data: unknown; release(): void };
};

export function createExactData(): ExactData {
  // Nothing that anybody has written looks like it.
  const mark = `\u0000${randomUUID()} `;
  const texts = new Map<string, string>();
  const held = new RegExp(`"\\\\u0000${mark.slice(1)}(\\d+) *"`, "g");
  let count = 0;

  return {
    restore,
    fetch(input, init) {
      const { body } = init;
      if (typeof body !== "string" || texts.size === 0) return globalThis.fetch(input, init);
      return globalThis.fetch(input, { ...init, body: restore(body) });
    },
    hold(text) {
      const value: unknown = JSON.parse(text);
      if (JSON.stringify(value) === text) return { data: value, release: () => {} };
      const name = String((count += 1));
      texts.set(name, text);
      // As long as what it stands for, since batches are made by length.
      const data = `${mark}${name}`.padEnd(text.length);
      return { data, release: () => void texts.delete(name) };
    },
  };

  function restore(body: string): string {
    return body.replaceAll(held, (all, name: string) => texts.get(name) ?? all);
  }
}

/** The text of an object's member, as it stands there; of several the last, as JSON.parse has it. */
export function memberText(object: string, name: string): string | undefined {
  let depth = 0;
  let key: string | undefined;
  let start: number | undefined;
  let found: string | undefined;
  for (const { 0: sign, index } of object.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:,]/gs)) {
    if (sign === "{" || sign === "[") depth += 1;
    else if (depth === 1 && sign === ":") start = index + 1;
    else if (depth === 1 && sign.startsWith('"') && start === undefined) key = sign;
    else if (depth === 1 && (sign === "," || sign === "}")) {
      if (key !== undefined && start !== undefined && JSON.parse(key) === name) {
        found = object.slice(start, index).trim();
      }
      start = undefined;
    }
    if (sign === "}" || sign === "]") depth -= 1;
  }
  return found;
}
