/**
 * A lane's circuit over time: it follows what attempts say, wakes the lane when a probe is due, and
 * has every change of state kept. The decisions are in circuit.ts.
 */
import type { Circuits, CircuitState, ProbeFailure } from "../deliveries/circuits.ts";
import type { Fence } from "../deliveries/ledger.ts";
import {
  afterAttempt,
  afterProbe,
  halfOpened,
  withoutProbe,
  type Circuit,
  type Ended,
  type Outage,
} from "./circuit.ts";

/** The clock of timers and that of the day differ by less. */
const earlyMs = 2;

export function createBreaker(options: {
  fence: Fence;
  circuit: Circuit;
  circuits: Circuits;
  /** A probe may be due. */
  probeDue: () => void;
  opened: () => void;
  /** The endpoint answers again, after an outage that began then. */
  closed: (outageSince: number) => void;
  /** That it has opened, or closed, is written. */
  written: { opened: (outage: Outage) => void; closed: (outage: Outage) => void };
}) {
  const { fence, circuits, probeDue, opened, closed, written } = options;
  let circuit = options.circuit;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let ended: Outage | undefined;
  wakeForProbe();

  return {
    isClosed: () => circuit.kind === "closed",
    /** When the first attempt of the outage began; undefined when there is none. */
    outageSince: () => (circuit.kind === "closed" ? undefined : circuit.outageSince),
    mayProbe,
    beginProbe,
    cancelProbe,
    postpone,
    afterAttempt: (ended: Ended) => become(afterAttempt(circuit, ended)),
    afterProbe: (ended: Ended, failure?: ProbeFailure) =>
      become(afterProbe(circuit, ended), failure),
    tellClosed,
    stop,
  };

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }

  function mayProbe(): boolean {
    return circuit.kind === "open" && circuit.probeAt - earlyMs <= Date.now();
  }

  function beginProbe(): void {
    if (circuit.kind === "open") become(halfOpened(circuit));
  }

  function cancelProbe(): void {
    become(withoutProbe(circuit, Date.now()));
  }

  /** Nothing can be probed before `at`. */
  function postpone(at: number): void {
    if (circuit.kind === "open" && at > circuit.probeAt) become({ ...circuit, probeAt: at });
  }

  function become(next: Circuit, failure?: ProbeFailure): void {
    // What was under way then says nothing to whoever drives the endpoint now.
    if (stopped) return;
    const before = circuit;
    circuit = next;
    if (next.kind !== before.kind) circuits.changed(next.kind);
    wakeForProbe();
    if (next.kind === "closed") {
      // Kept as closed by `tellClosed`, once what the outage left behind is taken care of.
      if (before.kind === "closed") return;
      ended = before;
      closed(before.outageSince);
      return;
    }
    if (next === before) return;
    const opens = before.kind === "closed";
    const told = opens && { written: () => written.opened(next) };
    circuits.tell(fence, stateOf(next), { failure, ...told });
    if (opens) opened();
  }

  function tellClosed(): void {
    if (stopped || circuit.kind !== "closed") return;
    const nothing = { probeAt: null, probes: 0, outageSince: null };
    const outage = ended;
    const told = outage && { written: () => written.closed(outage) };
    circuits.tell(fence, { state: "closed", since: Date.now(), ...nothing }, { ...told });
  }

  function wakeForProbe(): void {
    clearTimeout(timer);
    if (circuit.kind !== "open") return;
    // The clock of the day may have been set back meanwhile.
    const due = () => (mayProbe() ? probeDue() : wakeForProbe());
    timer = setTimeout(due, Math.max(0, circuit.probeAt - Date.now()));
  }
}

function stateOf(circuit: Exclude<Circuit, { kind: "closed" }>): CircuitState {
  const { kind: state, since, outageSince, probes } = circuit;
  const probeAt = circuit.kind === "open" ? circuit.probeAt : null;
  return { state, since, outageSince, probes, probeAt };
}
