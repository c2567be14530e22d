/** What a receiver accepted, in the order in which it came, and what is wrong with that order. */
import type { Received } from "../workers/hooks.ts";

export type Arrival = {
  /** By `nowMs`. */
  readonly at: number;
  readonly sequence: number;
  readonly subject: number;
  readonly attempt: number;
  /** Of the answer. */
  readonly status: number;
};

export type Accepted = readonly Arrival[];

export function arrivalsOf(received: Received | undefined): Arrival[] {
  if (received === undefined) return [];
  const { at, sequence, subject, attempt, status } = received;
  return Array.from(at, (moment, row) => ({
    at: moment,
    sequence: sequence[row] ?? Number.NaN,
    subject: subject[row] ?? Number.NaN,
    attempt: attempt[row] ?? Number.NaN,
    status: status[row] ?? 0,
  }));
}

export function acceptedOf(arrivals: readonly Arrival[]): Accepted {
  return arrivals.filter(({ status }) => status >= 200 && status < 300);
}

/** Each once, where it came first. */
export function distinctOf(accepted: Accepted): number[] {
  return [...new Set(accepted.map(({ sequence }) => sequence))];
}

/** What came when it had come before. */
export function repeatsOf(accepted: Accepted): number[] {
  const seen = new Set<number>();
  return accepted.flatMap(({ sequence }) => {
    if (seen.has(sequence)) return [sequence];
    seen.add(sequence);
    return [];
  });
}

export function isRising(sequences: readonly number[]): boolean {
  return sequences.every((each, index) => index === 0 || each > (sequences[index - 1] ?? 0));
}
