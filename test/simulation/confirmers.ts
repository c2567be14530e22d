/**
 * Consumers that say by receipts what they have processed, apart from what their receivers answer:
 * one that answers pushes first and processes them then, and one that goes for what it has missed by
 * itself. Each repeats a receipt at another process until it is answered, and counts only on answers.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Apis } from "./apis.ts";
import type { Confirming, Hook } from "./receivers.ts";
import type { Violations } from "./records.ts";

export type Confirmer = ReturnType<typeof createConfirmer>;

const pauseMs: Record<Confirming, number> = { each: 200, walk: 2_000 };

const receiptMax = 500;
const pageEvents = 200;

type Word = "processed" | "failed";

type Told = { results: { event: string; outcome: string }[] };

/** What may become of an event of which that is said and which was pushed, or missed. */
const possible: Record<Word, readonly string[]> = {
  processed: ["settled", "unchanged"],
  failed: ["retrying", "dead", "unchanged"],
};

export function createConfirmer(options: {
  hook: Hook;
  confirming: Confirming;
  apis: Apis;
  violations: Violations;
}) {
  const { hook, confirming, apis, violations } = options;
  const { name, confirmations, handled } = hook;
  const caller = apis.caller();
  /** Of which it was said that they are processed, answered or not. */
  const said = new Set<number>();
  const counts = { processed: 0, failed: 0, through: 0, withheld: 0, read: 0 };
  let turns = 0;
  return { hook, confirming, said, counts, run };

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await (confirming === "each" ? confirmEach(signal) : walk(signal));
      await delay(pauseMs[confirming], undefined, { signal }).catch(() => {});
    }
  }

  async function confirmEach(signal: AbortSignal): Promise<void> {
    const words = Map.groupBy(hook.heard.splice(0, receiptMax), wordFor);
    for (const word of ["processed", "failed"] as const) {
      const events = new Map(words.get(word)?.map(({ id, sequence }) => [id, sequence]));
      if (events.size > 0) await confirm(events, word, signal);
    }
    counts.withheld += words.get(undefined)?.length ?? 0;
  }

  /** By the push, so that one that comes again has another fate. Undefined to say nothing. */
  function wordFor({ sequence, request }: Hook["heard"][number]): Word | undefined {
    if (said.has(sequence)) return "processed";
    const draw = (sequence * 7 + request * 13) % 20;
    return draw === 0 ? "failed" : draw === 1 ? undefined : "processed";
  }

  async function confirm(events: ReadonlyMap<string, number>, status: Word, signal: AbortSignal) {
    if (status === "processed") for (const sequence of events.values()) said.add(sequence);
    const ids = [...events.keys()];
    const detail = status === "failed" ? { detail: "processed halfway" } : {};
    const told = await send<Told>({ events: ids, status, ...detail }, signal);
    if (told === undefined) return;
    if (told.results.length !== ids.length) {
      violations.report("receipts", `${name}: ${told.results.length} results of ${ids.length}`);
    }
    for (const { event, outcome } of told.results) {
      const sequence = events.get(event);
      if (sequence === undefined || !possible[status].includes(outcome)) {
        violations.report("receipts", `${name}: ${status} ${sequence} (${event}): ${outcome}`);
      } else if (status === "processed") {
        confirmations.settle(sequence);
      }
    }
    counts[status] += events.size;
  }

  async function walk(signal: AbortSignal): Promise<void> {
    const read = new Map<string, number>();
    let last = 0;
    let cursor: string | undefined;
    for (let hasMore = true; hasMore;) {
      const begunAt = performance.now();
      const from = cursor === undefined ? "" : `&cursor=${cursor}`;
      const path = `/endpoints/${hook.id}/missed?limit=${pageEvents}${from}`;
      const page = await ask<MissedPage>("GET", path, undefined, signal);
      if (page === undefined) return;
      for (const { id, sequence } of page.events) {
        const number = Number(sequence);
        if (number <= last) violations.report("missed", `${name}: ${number} after ${last}`);
        last = number;
        const at = confirmations.at(number);
        if (at !== undefined && at < begunAt) {
          const ms = Math.round(begunAt - at);
          violations.report("missed", `${name}: ${number} again, ${ms} ms after it was confirmed`);
        }
        handled.add(number);
        read.set(id, number);
      }
      ({ cursor, has_more: hasMore } = page);
    }
    counts.read += read.size;
    turns += 1;
    if (turns % 2 === 0 && read.size > 0 && read.size <= receiptMax) {
      return await confirm(read, "processed", signal);
    }
    // All that matches up to there was missed, and read, or accepted.
    const told = await send<object>({ through: cursor, status: "processed" }, signal);
    if (told === undefined) return;
    counts.through += 1;
    confirmations.settleThrough(last);
  }

  function send<Answer>(receipt: object, signal: AbortSignal): Promise<Answer | undefined> {
    return ask<Answer>("POST", "/receipts", { endpoint: hook.id, ...receipt }, signal);
  }

  /** Until it is answered; undefined when the run is over. */
  async function ask<Answer>(
    method: "GET" | "POST",
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    while (!signal.aborted) {
      try {
        const content = body && { body: JSON.stringify(body) };
        const { status, text } = await caller.ask(method, path, content);
        if (status === 200) return JSON.parse(text) as Answer;
        if (status < 500) violations.report("receipts", `${name}: ${path}: ${status} ${text}`);
      } catch {
        // It may have come through all the same.
      }
      await caller.next();
    }
    return undefined;
  }
}

type MissedPage = {
  events: { id: string; sequence: string }[];
  cursor: string;
  has_more: boolean;
};
