/** What tests of the push role say again and again. */

import type { Client } from "./client.ts";
import type { Received } from "./receiver.ts";

/** Appends one event of each type, in this order, and resolves with their ids. */
export async function appendMany(
  client: Client,
  tenant: string,
  types: readonly string[],
): Promise<string[]> {
  const events = types.map((type, n) => ({ tenant, type, data: { n } }));
  const { results } = await client.expectOk("POST", "/events", { events });
  return (results as { id: string }[]).map(({ id }) => id);
}

export function repeated(type: string, count: number): string[] {
  return Array.from({ length: count }, () => type);
}

/** Reads one header of a push. */
export function header(name: string) {
  return ({ headers }: Received): string => String(headers[name]);
}

export const eventOf = header("webhook-id");

export function sequenceOf(request: Received): number {
  return Number(header("tidegate-sequence")(request));
}

export function sequencesOf(requests: readonly Received[]): number[] {
  return requests.map(sequenceOf).toSorted((a, b) => a - b);
}

export function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
