/** How an endpoint stands, in words: what is wrong, and what happens next. */
import type { Tone } from "../../parts/badge.tsx";
import { showCount, showMany } from "../../parts/number.ts";
import { showDuration } from "../../parts/time.tsx";
import { errorInWords } from "../deliveries/words.ts";
import type { EndpointView } from "./queries.ts";

/** An endpoint that is pushed to and has been behind for so long does not keep up. */
const laggingSeconds = 60;

export type State = {
  /** Also the word by which the list is filtered. */
  readonly kind:
    | "disabled"
    | "circuit"
    | "failing"
    | "lagging"
    | "paused"
    | "polling"
    | "dead"
    | "fine";
  readonly word: string;
  readonly tone: Tone;
  /** Behind the badge: why, as far as it is known. */
  readonly reason: string;
};

/** The worst first. */
const order: readonly State["kind"][] = [
  "disabled",
  "circuit",
  "failing",
  "lagging",
  "dead",
  "paused",
  "polling",
  "fine",
];

export function stateOf(endpoint: EndpointView): State {
  const { status, status_reason: reason, circuit, lag, retrying, dead } = endpoint;
  const said = reason ?? "";
  if (status === "disabled")
    return { kind: "disabled", word: "Disabled", tone: "bad", reason: said };
  if (status === "paused") return { kind: "paused", word: "Paused", tone: "idle", reason: said };
  if (status === "polling") return { kind: "polling", word: "Polling", tone: "info", reason: said };
  const last = endpoint.last_failure === null ? "" : errorInWords(endpoint.last_failure.error);
  if (circuit.state === "open") {
    return { kind: "circuit", word: "Circuit open", tone: "bad", reason: last };
  }
  if (circuit.state === "half_open") {
    return { kind: "circuit", word: "Being probed", tone: "warn", reason: last };
  }
  if (isFailing(endpoint)) return { kind: "failing", word: "Failing", tone: "warn", reason: last };
  if (lag.seconds > laggingSeconds) {
    const behind = `${showMany(lag.events, "event")} behind`;
    return { kind: "lagging", word: "Lagging", tone: "warn", reason: behind };
  }
  if (dead > 0) {
    const letters = `${showCount(dead)} dead ${dead === 1 ? "letter" : "letters"}`;
    return { kind: "dead", word: "Active", tone: "ok", reason: letters };
  }
  const waiting = retrying > 0 ? `${showCount(retrying)} to be retried` : "";
  return { kind: "fine", word: "Active", tone: "ok", reason: waiting };
}

/** The last thing that happened was a failure, and it is being tried again. */
function isFailing({ last_failure: failure, last_success_at: success, retrying }: EndpointView) {
  if (failure === null || retrying === 0) return false;
  return success === null || failure.at > success;
}

export function isInTrouble(endpoint: EndpointView): boolean {
  return ["disabled", "circuit", "failing", "lagging"].includes(stateOf(endpoint).kind);
}

/** In trouble first; then the ones with the most to do, then as they were made. */
export function byTrouble(a: EndpointView, b: EndpointView): number {
  const rank = order.indexOf(stateOf(a).kind) - order.indexOf(stateOf(b).kind);
  return rank !== 0 ? rank : b.lag.seconds - a.lag.seconds;
}

/** What happens to an event that is appended now, and to what waits. */
export function nextInWords(endpoint: EndpointView): string {
  const { status, circuit, ordering, lag, retrying } = endpoint;
  switch (status) {
    case "disabled":
      return "Nothing is pushed until it is enabled again. Events are kept: none is lost before the end of their retention.";
    case "paused":
      return "Nothing is pushed until it is resumed. Events wait at its position.";
    case "polling":
      return "Nothing is pushed: its consumer reads the events itself. The position is kept for when pushing is resumed.";
    case "active":
  }
  if (circuit.state === "open") {
    return "The receiver did not answer, or only with errors. Nothing is attempted until the next probe, and waiting costs no event an attempt. When the probe succeeds, everything that waits is pushed.";
  }
  if (circuit.state === "half_open") {
    return "A probe is under way. If it succeeds, everything that waits is pushed.";
  }
  if (ordering !== "parallel" && retrying > 0) {
    return ordering === "fifo"
      ? "Events are kept in order: those behind the failed one wait until it is delivered or dead."
      : "Events of one subject are kept in order: those behind a failed one wait until it is delivered or dead.";
  }
  if (retrying > 0) return "Failed events are tried again by the retry schedule; others go on.";
  if (lag.events > 0) return `It is ${showDuration(lag.seconds * 1_000)} behind and catching up.`;
  return "New events are pushed as they come.";
}

/** What an event waits for that is due, or was not tried yet. */
export function obstacleInWords({ status, circuit, ordering }: EndpointView): string {
  if (status === "paused") return "Waits for the endpoint to be resumed";
  if (status === "disabled") return "Waits for the endpoint to be enabled again";
  if (status === "polling") return "Waits for its consumer, which polls";
  if (circuit.state !== "closed") return "Waits for the receiver to be back";
  return ordering === "parallel"
    ? "Is about to be pushed"
    : "Waits for the events before it, as the order is kept";
}
