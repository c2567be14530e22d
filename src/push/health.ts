/**
 * What an attempt says of its endpoint, as far as circuit and pace go by it. A refusal of the event
 * itself (a 4xx) says that the endpoint is well.
 */
import type { Outcome } from "./outcome.ts";

/**
 * `timeout`, `connection` and `server` (a 5xx) are faults of the endpoint. `busy` (429) only asks
 * for less. `answered` is all else, also an answer that breaks the protocol.
 */
export type Verdict = "success" | "answered" | "busy" | Fault;

export type Fault = "timeout" | "connection" | "server";

export function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind === "failed") {
    switch (outcome.class) {
      case "timeout":
        return "timeout";
      case "dns":
      case "connect":
      case "reset":
      case "tls":
        return "connection";
      case "address":
      case "http":
        return "answered";
    }
  }
  const { status } = outcome.response;
  if (status >= 500) return "server";
  if (status === 429) return "busy";
  return status >= 200 && status <= 299 ? "success" : "answered";
}

export function isFault(verdict: Verdict): verdict is Fault {
  return verdict === "timeout" || verdict === "connection" || verdict === "server";
}
