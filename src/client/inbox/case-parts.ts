/** What the cases of the conformance suite are made of. */
import type { Entry, InboxStore, OnceResult } from "./store.ts";

export function entry(sequence: number, parts: Partial<Entry> = {}): Entry {
  const place = { sequence, previous: sequence - 1, cursor: undefined };
  // Whatever the position is, of an event that is the first.
  const previous = parts.as === "next" ? 0 : place.previous;
  return { id: `evt_${sequence}`, as: "any", ...place, previous, ...parts };
}

/** Of another log. */
export function other(sequence: number, as: Entry["as"] = "any"): Entry {
  return { ...entry(sequence, { as }), id: `evt_other_${sequence}` };
}

export function kinds(results: readonly OnceResult[]): string[] {
  return results.map(({ kind }) => kind);
}

export function idsOf(state: Awaited<ReturnType<InboxStore["open"]>>): string[] | undefined {
  return state?.handled.map(({ id }) => id);
}

export function counter() {
  let calls = 0;
  return {
    count: () => calls,
    call: async () => {
      calls += 1;
    },
  };
}

export const nothing = async (): Promise<void> => {};

/** Lets others come in between. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
