/**
 * What became of an event at one endpoint, as one state and one sentence or two that a person can
 * pass on. Pure: what is known and the time go in, words come out. The sentences are for people and
 * may be worded better at any time; programs read the state.
 */
import { errorOf, triggerOf, type AttemptRow } from "../deliveries/attempts.ts";
import type { Party, Standing } from "../deliveries/timeline.ts";
import { replayName } from "../deliveries/replays.ts";
import type { LogEvent } from "../log/event.ts";

export const stages = [
  ...["delivered", "settled", "skipped", "dead", "expired"],
  ...["retrying", "awaiting_receipt", "waiting", "not_matched"],
] as const;

export type Stage = (typeof stages)[number];

/** What keeps an event that is to be sent from being sent. */
export const obstacles = ["paused", "polling", "disabled", "circuit", "subject", "order"] as const;

export type Obstacle = (typeof obstacles)[number];

type Subject = Pick<LogEvent, "sequence" | "appendedAt">;

/** Failures that a sentence tells one by one; of more it tells the last. */
const toldFailuresMax = 5;

export function stageOf({ delivery, receipt, standing }: Party, { sequence }: Subject): Stage {
  if (delivery !== undefined) return delivery.status;
  if (receipt?.status === "processed") return "settled";
  if (standing === undefined) return "not_matched";
  const isOwed = standing.blockedAt !== null && standing.blockedAt < sequence;
  return isOwed || standing.position < sequence ? "waiting" : "not_matched";
}

/** Undefined where nothing is to be sent, or nothing is in its way. */
export function obstacleOf(party: Party, event: Subject, now: number): Obstacle | undefined {
  const { standing } = party;
  const stage = stageOf(party, event);
  if (standing === undefined || (stage !== "waiting" && stage !== "retrying")) return undefined;
  if (standing.status !== "active") return standing.status;
  if (stage === "retrying" && (party.delivery?.dueAt ?? 0) > now) return undefined;
  if (standing.circuit !== "closed") return "circuit";
  if (stage === "retrying") return undefined;
  if (standing.blockedAt !== null && standing.blockedAt < event.sequence) {
    return standing.behind === null ? undefined : "subject";
  }
  const isBehind = standing.behind !== null || event.sequence - standing.position > 1;
  return isBehind ? "order" : undefined;
}

export function explain(party: Party, event: Subject, now: number): string {
  const said = sentenceOf(party, event, now);
  const after = [repeatsOf(party), comingOf(party, event), receiptOf(party, event)];
  if (party.standing === undefined) after.push("The endpoint was removed since.");
  return [said, ...after.filter((each) => each !== undefined)].join(" ");
}

function sentenceOf(party: Party, event: Subject, now: number): string {
  switch (stageOf(party, event)) {
    case "delivered":
      return deliveredSentence(party, event);
    case "settled":
      return settledSentence(party);
    case "skipped":
      if (party.standing === undefined) return `Skipped${soFar(party)}.`;
      return `Skipped: the endpoint was resumed from a later position${soFar(party)}.`;
    case "dead":
      return deadSentence(party);
    case "expired":
      return "Expired: retention took the event before it was delivered.";
    case "retrying":
      return retryingSentence(party, event, now);
    case "awaiting_receipt":
      return awaitingSentence(party);
    case "waiting":
      return waitingSentence(party, event, now);
    case "not_matched":
      return notMatchedSentence(party, event);
  }
}

function deliveredSentence(party: Party, { appendedAt }: Subject): string {
  const success = successOf(party);
  if (success === undefined) return "Delivered: the endpoint accepted it.";
  const { attempt, statusCode, at, latencyMs, replay } = success;
  const by = replay === null ? "" : ` by the replay ${replayName(replay)}`;
  if (attempt > 1) return `Delivered${by} on attempt ${attempt}${before(party, success)}.`;
  const afterMs = Math.max(0, at + latencyMs - appendedAt);
  return `Delivered${by} on the first attempt (${statusCode}), ${afterMs} ms after it was appended.`;
}

function before({ attempts }: Party, success: AttemptRow): string {
  const { attempt, at } = success;
  const failed = attempts.filter(
    (row) => row.error !== null && row.at <= at && row.attempt < attempt,
  );
  const count = attempt - 1;
  const many = `${inWords(count)} ${count === 1 ? "failure" : "failures"}`;
  const last = failed.at(-1);
  if (last === undefined) {
    // Of what was accepted before, only the consumer can have said that it is to be sent again.
    const isAsked = triggerOf(success) === "retry";
    return isAsked ? ", since its consumer had reported that it failed with it before" : "";
  }
  if (failed.length === count && count <= toldFailuresMax) {
    return ` after ${many}: ${failed.map(failureWords).join(", then ")}`;
  }
  return ` after ${many}, the last: ${failureWords(last)}`;
}

/** What was sent once more after it had succeeded. */
function repeatsOf(party: Party): string | undefined {
  const success = successOf(party);
  if (success === undefined) return undefined;
  const repeats = party.attempts.filter(
    (row) => row.attempt > success.attempt && triggerOf(row) === "replay",
  );
  const last = repeats.at(-1);
  if (last === undefined || last.replay === null) return undefined;
  const times = repeats.length === 1 ? "once" : `${inWords(repeats.length)} times`;
  const outcome = last.error === null ? String(last.statusCode) : failureWords(last);
  return `Sent ${times} more by replays, the last ${replayName(last.replay)}: ${outcome}.`;
}

/** A job that is still to send it. Of events that are delivered it may have others to send. */
function comingOf({ replays, delivery }: Party, { sequence }: Subject): string | undefined {
  const isLost = delivery?.status === "dead" || delivery?.status === "expired";
  const coming = replays.find((job) => job.status === "running" && job.sequence < sequence);
  if (!isLost || coming === undefined) return undefined;
  return `The replay ${replayName(coming.id)} has not come to it yet.`;
}

function receiptOf(party: Party, event: Subject): string | undefined {
  const { receipt } = party;
  if (receipt === undefined || stageOf(party, event) === "settled") return undefined;
  const what = receipt.status === "processed" ? "processed it" : "failed with it";
  return `Its consumer reported at ${timeText(receipt.at)} that it has ${what}.`;
}

function settledSentence(party: Party): string {
  const { receipt, delivery } = party;
  const when = receipt === undefined ? "" : ` at ${timeText(receipt.at)}`;
  const before = (delivery?.attempts ?? 0) === 0 ? ", before it was sent" : soFar(party);
  return `Settled by a receipt: its consumer reported it processed${when}${before}.`;
}

function deadSentence(party: Party): string {
  const { delivery, receipt, attempts: rows } = party;
  const attempts = delivery?.attempts ?? 0;
  if (attempts === 0 && receipt?.status === "failed") return "Dead before it was sent.";
  // How many there were is told already.
  const error = delivery?.error?.replace(/ \(\d+ attempts? failed\)$/, "");
  const last = error === undefined ? "" : `, last: ${error}`;
  const failed = rows.filter((row) => row.error !== null);
  if (attempts < 2 || attempts > toldFailuresMax || failed.length !== attempts) {
    return `Dead after ${countOf(attempts)}${last}.`;
  }
  const before = failed.slice(0, -1).map(failureWords).join(", then ");
  return `Dead after ${countOf(attempts)}: ${before}${last}.`;
}

function retryingSentence(party: Party, event: Subject, now: number): string {
  const { delivery, attempts, standing, receipt } = party;
  const last = attempts.at(-1);
  const made = delivery?.attempts ?? 0;
  const dueAt = delivery?.dueAt ?? now;
  const what =
    last === undefined || last.error === null
      ? `its consumer reported a failure${receipt?.detail ? ` (${receipt.detail})` : ""}`
      : `attempt ${last.attempt} failed: ${failureWords(last)}`;
  const due =
    dueAt > now ? `is due at ${timeText(dueAt)}` : `has been due since ${timeText(dueAt)}`;
  const next = `attempt ${made + 1} ${due}`;
  const obstacle = obstacleOf(party, event, now);
  if (standing === undefined || obstacle === undefined) return `Retrying: ${what}; ${next}.`;
  return `Retrying: ${what}; ${next}, and waits: ${obstacleWords(standing, obstacle)}.`;
}

function awaitingSentence(party: Party): string {
  const { delivery } = party;
  const success = successOf(party);
  const on = success === undefined ? "" : ` on attempt ${success.attempt} (${success.statusCode})`;
  const by = delivery?.dueAt ?? null;
  const until = by === null ? "" : `; without one by ${timeText(by)} it is tried again`;
  return `Accepted${on}, waiting for its consumer's receipt${until}.`;
}

function waitingSentence(party: Party, event: Subject, now: number): string {
  const { standing } = party;
  if (standing === undefined) return "Waiting.";
  const obstacle = obstacleOf(party, event, now);
  const where = placeWords(standing, event);
  switch (obstacle) {
    case "paused":
    case "polling":
    case "disabled":
    case "circuit":
      return `Waiting: ${obstacleWords(standing, obstacle)}. ${capital(where)}.`;
    case "subject":
      return `Waiting: ${obstacleWords(standing, obstacle)}.`;
    case "order":
      if (standing.behind === null) return `Waiting: ${where}${underWay(standing)}.`;
      return `Waiting: ${obstacleWords(standing, obstacle)}. ${capital(where)}.`;
    case undefined:
      return `Waiting: ${where}${underWay(standing)}.`;
  }
}

function obstacleWords(standing: Standing, obstacle: Obstacle): string {
  const { statusReason, circuit, circuitSince, circuitProbeAt, behind, position } = standing;
  const reason = statusReason === null ? "" : ` (${statusReason})`;
  const since = circuitSince === null ? "" : ` since ${timeText(circuitSince)}`;
  switch (obstacle) {
    case "paused":
      return `the endpoint is paused${reason}`;
    case "polling":
      return `the endpoint is polled by its consumer, nothing is pushed${reason}`;
    case "disabled":
      return `the endpoint is disabled${reason}`;
    case "circuit": {
      if (circuit === "half_open") return `the endpoint's circuit has been half open${since}`;
      const probe = circuitProbeAt === null ? "" : `; next probe at ${timeText(circuitProbeAt)}`;
      return `the endpoint's circuit has been open${since}${probe}`;
    }
    case "subject":
      return `event ${behind} of its subject is not delivered yet, and the endpoint keeps their order`;
    case "order":
      if (behind === null) return `the endpoint is at ${position}`;
      return `event ${behind} is not delivered yet, and the endpoint keeps their order`;
  }
}

function placeWords({ position, blockedAt }: Standing, { sequence }: Subject): string {
  const ahead = sequence - position;
  if (ahead < 1 && blockedAt !== null) return `the endpoint is at ${blockedAt} with its subject`;
  if (ahead < 1) return `the endpoint is at ${position}, beyond this event`;
  const events = ahead === 1 ? "right before this one" : `${ahead} events before this one`;
  return `the endpoint is at ${position}, ${events}`;
}

function underWay({ inFlight }: Standing): string {
  if (inFlight === 0) return "";
  return `, with ${inFlight} ${inFlight === 1 ? "attempt" : "attempts"} under way`;
}

function notMatchedSentence({ standing }: Party, { appendedAt }: Subject): string {
  if (standing === undefined) return "Not sent.";
  if (standing.createdAt >= appendedAt) {
    return "Not sent: the endpoint was made after this event and begins behind it.";
  }
  if (standing.resumedAt !== null && standing.resumedAt >= appendedAt) {
    const at = timeText(standing.resumedAt);
    return `Not sent: the endpoint was put behind it when it was resumed elsewhere at ${at}.`;
  }
  return "Not sent: the endpoint's filter did not match it when the endpoint came to it.";
}

/** The attempt that the event was delivered or accepted by. */
function successOf({ attempts }: Party): AttemptRow | undefined {
  return attempts.find(({ error }) => error === null);
}

function soFar({ delivery }: Party): string {
  const { attempts = 0, error = null } = delivery ?? {};
  if (attempts === 0) return "";
  return ` after ${countOf(attempts)}${error === null ? "" : `, last: ${error}`}`;
}

function countOf(attempts: number): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts`;
}

/** In a word or two: the entry of the attempt has the rest. */
function failureWords(row: AttemptRow): string {
  const error = errorOf(row);
  if (error === null) return "no failure";
  switch (error.class) {
    case "timeout":
      return "a time-out";
    case "dns":
      return "a name that was not resolved";
    case "address":
      return "an address that is not allowed";
    case "connect":
      return "no connection";
    case "reset":
      return "a broken connection";
    case "tls":
      return "a TLS failure";
    case "receipt":
      return "no receipt in time";
    default:
      return row.errorClass === null && row.statusCode !== null
        ? String(row.statusCode)
        : error.message;
  }
}

const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

function inWords(count: number): string {
  return words[count] ?? String(count);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
