/**
 * Counts what goes wrong on the way to other processes and logs it at a bounded rate: with the
 * broker away there may be thousands of faults a second, and each says the same.
 */

import type { Logger } from "../telemetry/logger.ts";

/** One line per kind and interval says how often it happened; more would only repeat it. */
const lineEveryMs = 10_000;
/** A cluster may be short of servers for days, or for good, and works all the same. */
const smallLineEveryMs = 10 * 60_000;

const messages = {
  dropped: "frame not sent to other processes",
  failed: "frame refused or not acknowledged by the broker",
  unreadable: "unreadable frame ignored",
  threw: "receiver of a frame threw",
  unreachable: "broker not usable, trying again",
  deaf: "shard not receivable from other processes, trying again",
  mended: "stream was changed by somebody, putting it right",
  small: "stream cannot have all its replicas now, trying again",
} as const;

export type FaultKind = keyof typeof messages;

export type Faults = {
  report(kind: FaultKind, cause: unknown, now?: number): void;
  counts(): Readonly<Record<FaultKind, number>>;
};

type Line = { unlogged: number; loggedAt: number };

export function createFaults(log: Logger | undefined): Faults {
  const kinds = Object.keys(messages) as FaultKind[];
  const totals = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const lines = new Map<FaultKind, Line>();
  return { report, counts: () => ({ ...totals }) };

  function report(kind: FaultKind, cause: unknown, now = performance.now()): void {
    totals[kind] += 1;
    const line = lines.get(kind) ?? { unlogged: 0, loggedAt: -Infinity };
    lines.set(kind, line);
    line.unlogged += 1;
    const everyMs = kind === "small" ? smallLineEveryMs : lineEveryMs;
    if (now - line.loggedAt < everyMs) return;
    // A string is a reason we gave ourselves; anything else was thrown and brings its stack.
    const why = typeof cause === "string" ? { reason: cause } : { err: cause };
    log?.warn({ fault: kind, times: line.unlogged, total: totals[kind], ...why }, messages[kind]);
    line.unlogged = 0;
    line.loggedAt = now;
  }
}
