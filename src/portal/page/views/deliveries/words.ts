/** What the API's states, errors and triggers of deliveries mean, in words. Pure. */
import type { Schemas } from "../../api.ts";
import { showRelative } from "../../parts/time.tsx";

export type DeliveryData = Schemas["Delivery"];
export type Status = DeliveryData["status"];
export type AttemptData = Schemas["Attempt"];

type Lane = Pick<Schemas["Endpoint"], "status" | "circuit">;

export const statuses: readonly (readonly [Status, string])[] = [
  ["delivered", "Delivered"],
  ["retrying", "Retrying"],
  ["dead", "Dead letter"],
  ["awaiting_receipt", "Awaiting receipt"],
  ["settled", "Settled by a receipt"],
  ["expired", "Expired"],
  ["skipped", "Skipped"],
];

export function statusName(status: Status): string {
  return statuses.find(([each]) => each === status)?.[1] ?? status;
}

/** What stands so with a delivery, and what comes next. `lane` is its endpoint, if it is there. */
export function summaryOf(delivery: DeliveryData, lane: Lane | undefined, now: number): string {
  const { attempts, receipt } = delivery;
  switch (delivery.status) {
    case "delivered":
      return attempts <= 1
        ? "Delivered at the first attempt."
        : `Delivered: attempt ${attempts} was accepted.`;
    case "retrying":
      return `${failedTimes(attempts)}; ${nextInWords(delivery, lane, now)}.`;
    case "dead":
      return `${failedTimes(attempts)}, and is not tried again: it is a dead letter. A replay sends it once more.`;
    case "awaiting_receipt":
      return `The receiver accepted it, and has yet to confirm it by a receipt; ${nextInWords(delivery, lane, now)}.`;
    case "settled":
      return `Its consumer said by a receipt that it was ${receipt?.status ?? "processed"}. Nothing more is sent.`;
    case "expired":
      return "The event's retention ended before it could be delivered. It cannot be sent any more.";
    case "skipped":
      return "Passed over when the endpoint was resumed at a later place. A replay sends it.";
  }
}

function failedTimes(attempts: number): string {
  if (attempts === 0) return "Not attempted yet";
  return attempts === 1 ? "Failed once" : `Failed ${attempts} times`;
}

/** A clause: "the next attempt is in 4 minutes". */
function nextInWords(
  { status, next_attempt_at: next }: Pick<DeliveryData, "status" | "next_attempt_at">,
  lane: Lane | undefined,
  now: number,
): string {
  if (next === null) return "no further attempt is planned";
  const held = lane === undefined ? undefined : heldInWords(lane, now);
  if (held !== undefined) return held;
  const leftMs = Date.parse(next) - now;
  const isReceipt = status === "awaiting_receipt";
  if (leftMs <= 0) return isReceipt ? "the time for it is over" : "the next attempt is due now";
  const when = showRelative(leftMs);
  return isReceipt ? `without one it is sent again ${when}` : `the next attempt is ${when}`;
}

/** For a row of many that wait for the same. */
export function heldInShort({ status, circuit }: Lane): string | undefined {
  if (status === "paused") return "The endpoint is paused";
  if (status === "disabled") return "The endpoint is disabled";
  if (status === "polling") return "The endpoint is polled";
  return circuit.state === "closed" ? undefined : "The endpoint's circuit is open";
}

/** Why nothing is sent to an endpoint at the moment; undefined while pushes go. */
export function heldInWords({ status, circuit }: Lane, now: number): string | undefined {
  if (status === "paused") return "nothing is attempted until the endpoint is resumed";
  if (status === "disabled") return "nothing is attempted until the endpoint is enabled again";
  if (status === "polling") return "nothing is pushed while the endpoint is polled";
  if (circuit.state === "closed") return undefined;
  const { next_probe_at: probe } = circuit;
  const when = probe === null ? "" : `, ${dueInWords(Date.parse(probe) - now)}`;
  return `the endpoint's circuit is ${circuit.state === "open" ? "open" : "half open"}, nothing is attempted until the next probe${when}`;
}

/** `in 35 seconds`; what is due may take a moment to happen. */
function dueInWords(leftMs: number): string {
  return leftMs < 5_000 ? "which is due now" : showRelative(leftMs);
}

/** For a narrow column: "in 4 minutes", "when resumed". */
export function nextInShort(delivery: DeliveryData, lane: Lane | undefined, now: number): string {
  const { status, next_attempt_at: next } = delivery;
  if (next === null || (status !== "retrying" && status !== "awaiting_receipt")) return "None";
  if (lane?.status === "paused" || lane?.status === "disabled") return "When resumed";
  if (lane?.status === "polling") return "None while polled";
  if (lane !== undefined && lane.circuit.state !== "closed") return "After the next probe";
  const leftMs = Date.parse(next) - now;
  return leftMs <= 0 ? "Due now" : sentence(showRelative(leftMs));
}

/** `last_error` without the class that leads it, and with words for a bare status. */
export function errorInWords(error: string): string {
  const [, kind, message = error] = /^([a-z]+): (.*)$/s.exec(error) ?? [];
  if (kind === "receipt") return sentence(message.replace(/^none /, "no receipt "));
  return sentence(message.replace(/^status (\d+)/, "answered with status $1"));
}

/** The same beside the status, which then need not be said again. */
export function errorInShort(code: number | null, error: string): string {
  const isBare = /^http: status \d+( \(.*\))?$/.test(error);
  return isBare && code !== null ? statusInWords(code) : errorInWords(error);
}

function statusInWords(code: number): string {
  if (code === 410) return "Gone for good";
  if (code === 429) return "Too many requests";
  if (code >= 300 && code < 400) return "Redirect, not followed";
  if (code >= 400 && code < 500) return "Refused";
  if (code === 503) return "Not available";
  return code >= 500 ? "The receiver failed" : "";
}

export const triggerNames: Readonly<Record<AttemptData["trigger"], string>> = {
  event: "The event came",
  retry: "Retry, as scheduled",
  probe: "Probe of an open circuit",
  drain: "After an outage was over",
  replay: "Replay",
};

export function outcomeOf(attempt: AttemptData): { ok: boolean; text: string } {
  const { status_code: code, error } = attempt;
  if (error === null) return { ok: true, text: code === null ? "Accepted" : `Accepted, ${code}` };
  if (code !== null) return { ok: false, text: `Failed, ${code}` };
  return { ok: false, text: `Failed, ${classNames[error.class] ?? error.class}` };
}

const classNames: Readonly<Record<string, string>> = {
  dns: "name not found",
  address: "address not allowed",
  connect: "no connection",
  reset: "connection lost",
  tls: "TLS",
  timeout: "time-out",
  http: "no valid answer",
};

export function spanInWords(text: string): string {
  return text.replace(/^(\d+)(s|m|h|d)$/, (_, digits: string, unit: string) => {
    return `${digits}\u00a0${unit === "m" ? "min" : unit}`;
  });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
