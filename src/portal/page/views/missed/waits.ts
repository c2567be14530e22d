/** What an event that an endpoint has missed waits for, in words. Pure. */
import type { Schemas } from "../../api.ts";
import { showRelative } from "../../parts/time.tsx";
import { errorInWords, heldInShort, nextInShort, type DeliveryData } from "../deliveries/words.ts";

type Lane = Pick<Schemas["Endpoint"], "status" | "circuit" | "ordering" | "position">;
type MissedEvent = { readonly sequence: string; readonly subject?: string };

export type Waits = {
  /** As badges name states. */
  readonly state: string;
  readonly name: string;
  readonly words: string;
};

/** `delivery` is undefined for an event that the endpoint has not come to. */
export function waitsFor(
  event: MissedEvent,
  delivery: DeliveryData | undefined,
  lane: Lane | undefined,
  now: number,
): Waits {
  if (delivery !== undefined) return ofDelivery(delivery, lane, now);
  if (lane === undefined) return { state: "waiting", name: "Waiting", words: "Its turn." };
  const held = heldInShort(lane);
  if (held !== undefined) return { state: "waiting", name: "Waiting", words: `${held}.` };
  // Sequences have as many digits each, so they sort as texts.
  if (lane.ordering === "subject" && event.sequence <= lane.position) {
    const subject = event.subject ?? "";
    const words = `An earlier event of the subject ${subject} is not delivered yet.`;
    return { state: "waiting", name: "Blocked", words };
  }
  const words = "The endpoint has not come to it yet: it is behind, or held by its rate.";
  return { state: "waiting", name: "Waiting", words };
}

function ofDelivery(delivery: DeliveryData, lane: Lane | undefined, now: number): Waits {
  const { status, last_error: error, next_attempt_at: next } = delivery;
  const why = error === null ? "" : ` ${errorInWords(error)}.`;
  switch (status) {
    case "retrying":
      return {
        state: status,
        name: "Retrying",
        words: `${retryIn(delivery, lane, now)}.${why}`,
      };
    case "dead":
      return { state: status, name: "Dead letter", words: `Only a replay sends it again.${why}` };
    case "awaiting_receipt": {
      const over = next === null ? "" : ` It was due ${showRelative(Date.parse(next) - now)}.`;
      return {
        state: "expired",
        name: "Receipt overdue",
        words: `Its receipt has not come.${over}`,
      };
    }
    case "expired":
      return { state: status, name: "Expired", words: "Its retention has ended." };
    case "delivered":
    case "settled":
    case "skipped":
      return { state: status, name: "Settled since", words: "No longer missed." };
  }
}

function retryIn(delivery: DeliveryData, lane: Lane | undefined, now: number): string {
  const held = lane === undefined ? undefined : heldInShort(lane);
  return held ?? `Tried again: ${nextInShort(delivery, lane, now).toLowerCase()}`;
}
