/**
 * The circuit breaker of one endpoint, as decisions over plain values: time and chance are
 * arguments.
 *
 *     closed ──(a run or a rate of faults)──► open ──(a probe is due)──► half open
 *        ▲                                     ▲                            │
 *        │                                     └───────(it failed)──────────┤
 *        └───────────────────(the endpoint answered)────────────────────────┘
 *
 * Only faults open it (health.ts): a receiver that refuses events is well. What was under way when
 * it opened ends as it would have; only probes decide from then on.
 */
import { isFault, type Verdict } from "./health.ts";

export type Circuit = Closed | Open | HalfOpen;

export type Closed = {
  readonly kind: "closed";
  /** Faults in a row, with those of them that were time-outs. */
  readonly run: number;
  readonly timeouts: number;
  /** The last attempts, the oldest first. */
  readonly recent: readonly Mark[];
};

type Mark = { readonly at: number; readonly fault: boolean };

export type Outage = {
  /** Since when the circuit has not been closed. Times are in milliseconds since 1970. */
  readonly since: number;
  /** When the first attempt began that belongs to the outage. */
  readonly outageSince: number;
  /** That have failed. */
  readonly probes: number;
};

export type Open = Outage & { readonly kind: "open"; readonly probeAt: number };
export type HalfOpen = Outage & { readonly kind: "half_open" };

/**
 * So many in a row are no bad luck, also where every third attempt fails: that would happen once in
 * ten thousand. Time-outs cost more and say more: at 5 s each, one after the other, the third comes
 * after 15 s.
 */
const runMax = 8;
const timeoutRunMax = 3;

/** An endpoint that answers now and then is in trouble when most attempts fail. */
const recentMax = 50;
const recentFaultsMax = 30;
/** Faults further apart are no outage. */
const recentMs = 60_000;

/** Doubled with each probe that fails: five in the first minute, one a minute in the end. */
const probeMinMs = 2_000;
const probeMaxMs = 60_000;

export const closedCircuit: Closed = { kind: "closed", run: 0, timeouts: 0, recent: [] };

/** Of an attempt that began at `at` and has ended now. */
export type Ended = {
  readonly verdict: Verdict;
  readonly at: number;
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly chance: number;
};

/** After an attempt that was no probe. */
export function afterAttempt(circuit: Circuit, { verdict, at, now, chance }: Ended): Circuit {
  if (circuit.kind !== "closed") return circuit;
  const fault = isFault(verdict);
  if (!fault && circuit.recent.length === 0) return closedCircuit;
  const recent = [...circuit.recent, { at, fault }].slice(-recentMax);
  const run = fault ? circuit.run + 1 : 0;
  const timeouts = verdict === "timeout" ? circuit.timeouts + 1 : fault ? circuit.timeouts : 0;
  const faults = recent.filter((mark) => mark.fault);
  const closed: Closed = { kind: "closed", run, timeouts, recent: faults.length > 0 ? recent : [] };
  if (!fault || !isOutage(closed, faults, now)) return closed;
  const outageSince = Math.min(...faults.map((mark) => mark.at));
  return open({ since: now, outageSince, probes: 0 }, now, chance);
}

function isOutage({ run, timeouts }: Closed, faults: readonly Mark[], now: number): boolean {
  if (run >= runMax || timeouts >= timeoutRunMax) return true;
  return faults.length >= recentFaultsMax && (faults[0]?.at ?? 0) > now - recentMs;
}

/** A probe is on its way. */
export function halfOpened({ since, outageSince, probes }: Open): HalfOpen {
  return { kind: "half_open", since, outageSince, probes };
}

/** After the probe. Any answer closes the circuit, also a refusal of the event. */
export function afterProbe(circuit: Circuit, { verdict, now, chance }: Ended): Circuit {
  if (circuit.kind === "closed") return circuit;
  if (!isFault(verdict)) return closedCircuit;
  const { since, outageSince, probes } = circuit;
  return open({ since, outageSince, probes: probes + 1 }, now, chance);
}

/** As before the probe, which was cut short by us. */
export function withoutProbe(circuit: Circuit, now: number): Circuit {
  return circuit.kind === "half_open" ? { ...circuit, kind: "open", probeAt: now } : circuit;
}

function open(outage: Outage, now: number, chance: number): Open {
  return { kind: "open", ...outage, probeAt: now + probeDelayMs(outage.probes, chance) };
}

/** Spread by a quarter, so that endpoints that went down together are not probed together. */
function probeDelayMs(failedProbes: number, chance: number): number {
  const baseMs = Math.min(probeMaxMs, probeMinMs * 2 ** Math.min(failedProbes, 10));
  return baseMs * (0.75 + chance / 2);
}
