/**
 * Reads a tenant's stream over a bad connection: it is cut after a random time or a random number
 * of bytes, mostly in the middle of an event. What had not come in whole is thrown away, and the
 * next connection names the last whole one in `Last-Event-ID`.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Api } from "./api.ts";
import { between, createDice } from "./chance.ts";
import type { Ledger } from "./ledger.ts";

/** An average event has 10 kB. */
const cutAfterMaxBytes = 200_000;
const cutAfterMinMs = 200;
const cutAfterMaxMs = 3_000;

/** A browser would wait for as long as the stream's `retry` says, about 2 s. */
const pauseMaxMs = 300;

type Block = { readonly event: string; readonly data: string; readonly id: string | undefined };

/** Returns when it has as many events as the tenant is to have. */
export async function readStream(options: {
  api: Api;
  tenant: string;
  ledger: Ledger;
  seed: number;
  signal: AbortSignal;
}): Promise<void> {
  const { api, tenant, ledger, seed, signal } = options;
  const dice = createDice(seed, `stream/${tenant}`);
  const total = ledger.plan(tenant).length;
  let lastEventId: string | undefined;
  let last = 0;

  while (last < total) {
    await connect();
    if (last < total) await delay(between(dice, 0, pauseMaxMs), undefined, { signal });
  }

  async function connect(): Promise<void> {
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), between(dice, cutAfterMinMs, cutAfterMaxMs));
    let rest = "";
    try {
      const response = await api.open("/events/stream", {
        signal: AbortSignal.any([signal, cut.signal]),
        headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
      });
      if (response.status !== 200 || response.body === null) {
        throw new Error(`the stream was answered ${response.status}: ${await response.text()}`);
      }
      for await (const text of cutShort(response.body, between(dice, 1, cutAfterMaxBytes))) {
        rest = takeBlocks(rest + text);
        if (last >= total) return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!cut.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      cut.abort();
    }
    ledger.counts.cuts += 1;
    if (rest !== "") ledger.counts.cutsInside += 1;
  }

  /** Takes the blocks that are whole and returns what follows them. */
  function takeBlocks(text: string): string {
    const blocks = text.split("\n\n");
    const rest = blocks.pop() ?? "";
    for (const block of blocks) take(parseBlock(block));
    return rest;
  }

  function take({ event, data, id }: Block): void {
    if (event === "problem") ledger.fault(`stream of ${tenant}: ${data}`);
    lastEventId = id ?? lastEventId;
    if (event !== "message" || data === "") return;
    const arrived = ledger.inspect("stream", tenant, data);
    if (arrived === undefined) return;
    const { sequence } = arrived;
    if (sequence !== last + 1) ledger.fault(`stream of ${tenant}: ${sequence} came after ${last}`);
    ledger.take("stream", tenant, sequence);
    last = sequence;
  }
}

/** The first bytes of a response, as text. A character that is cut in two stays away. */
async function* cutShort(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let left = bytes;
  for await (const chunk of body) {
    yield decoder.decode(chunk.subarray(0, left), { stream: true });
    left -= chunk.length;
    if (left <= 0) return;
  }
}

function parseBlock(text: string): Block {
  const fields = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^(\w*):? ?(.*)$/s.exec(line) ?? [];
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return {
    event: fields.get("event")?.at(-1) ?? "message",
    data: fields.get("data")?.join("\n") ?? "",
    id: fields.get("id")?.at(-1),
  };
}
