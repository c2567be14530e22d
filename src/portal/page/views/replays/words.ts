/** What replays send, how far they are, and what they wait for, in words. Pure. */
import type { Schemas } from "../../api.ts";
import { showCount } from "../../parts/number.ts";
import { showExact } from "../../parts/time.tsx";

export type ReplayData = Schemas["Replay"];
export type Kind = ReplayData["deliveries"];

export const kindNames: Readonly<Record<Kind, string>> = {
  dead: "Dead letters",
  missing: "All that is missing",
  all: "Everything",
};

export const kindWords: Readonly<Record<Kind, string>> = {
  dead: "What failed for good: all its attempts were made, or the receiver refused it.",
  missing:
    "What was never delivered and will not be by itself: dead letters, and what the endpoint was " +
    "led past. What it has yet to come to is not in it: that is pushed anyway when it goes on.",
  all: "Every event of the range that the endpoint wants, also what it has already accepted.",
};

/** Undefined while it goes on. */
export function waitingInWords(waitingFor: ReplayData["waiting_for"]): string | undefined {
  switch (waitingFor) {
    case null:
      return undefined;
    case "paused":
      return "The endpoint is paused. The replay goes on when it is resumed.";
    case "polling":
      return "The endpoint is polled, so nothing is pushed. The replay goes on when it is resumed.";
    case "disabled":
      return "The endpoint is disabled. The replay goes on when it is enabled again.";
    case "circuit":
      return "The endpoint's circuit is open after failures. The replay goes on when a probe succeeds.";
  }
}

export type HowFar = {
  /** Between 0 and 1; undefined when nobody knows. */
  readonly share: number | undefined;
  readonly words: string;
};

/** By its deliveries where their number is known, by its way through the log otherwise. */
export function howFar(replay: ReplayData): HowFar {
  const { status, total, sent, failed } = replay;
  const done = sent + failed;
  if (status === "completed") return { share: 1, words: `${showCount(done)} made` };
  if (total !== null && total > 0) {
    const share = Math.min(1, done / total);
    return { share, words: `${showCount(done)} of ${showCount(total)}` };
  }
  const [after, through, position] = [replay.after, replay.through, replay.position].map(Number);
  const length = (through ?? 0) - (after ?? 0);
  const gone = (position ?? 0) - (after ?? 0);
  const share = length > 0 && gone > 0 ? Math.min(1, gone / length) : undefined;
  return { share, words: `${showCount(done)} so far, of a number that is not known yet` };
}

export type Sample = { readonly at: number; readonly done: number; readonly share: number };

export type Pace = {
  readonly perSecond: number;
  /** Of what it was taken. */
  readonly spanMs: number;
  readonly leftMs: number | undefined;
};

/** From successive answers, oldest first; undefined until two of them are apart. */
export function paceOf(samples: readonly Sample[]): Pace | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 1_000) return undefined;
  const ms = last.at - first.at;
  const sharePerMs = (last.share - first.share) / ms;
  const leftMs = sharePerMs > 0 ? (1 - last.share) / sharePerMs : undefined;
  return { perSecond: ((last.done - first.done) * 1_000) / ms, spanMs: ms, leftMs };
}

/** As the replay of a single delivery is made: all of the range, which is one event. */
export function isOfOne({ deliveries, after, through, types }: ReplayData): boolean {
  return deliveries === "all" && types === null && Number(through) - Number(after) === 1;
}

export function rangeInWords(replay: ReplayData): string {
  const { since, until, types } = replay;
  const parts = [
    since === null ? undefined : `from ${showExact(since)}`,
    until === null ? undefined : `until ${showExact(until)}`,
    types === null ? undefined : types.join(", "),
  ].filter((part) => part !== undefined);
  if (parts.length > 0) return parts.join(" ");
  return isOfOne(replay) ? `Event ${showSequence(replay.through)}` : "As far back as kept";
}

/** Without the zeros that it has so that texts sort like numbers. */
export function showSequence(sequence: string): string {
  return sequence.replace(/^0+(?=\d)/, "");
}
