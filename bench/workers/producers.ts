/**
 * Producers and readers that count: what was acknowledged, what was refused, and how long each
 * request waited.
 */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import { appendBody } from "../payload.ts";
import { createClient, type Answer, type Client } from "../trials/client.ts";
import { serve } from "./serve.ts";

export type ProducerOperations = typeof operations;

type Site = { readonly url: string; readonly key: string };
type Pace = { readonly perSecond: number; readonly seconds: number };

export type Produced = {
  /** Events. */
  readonly acknowledged: number;
  readonly refused: number;
  /** Of those that `poisonType` names: refused as they should be. */
  readonly poisonRefused: number;
  /** From when an append was due to its answer. */
  readonly waits: Float64Array;
};

/** Of `fill`. */
const fillBatch = 1_000;

/** The type of the events that a trial lets the database refuse. */
const poisonType = "order.poisoned";

const operations = { paced, spray, fill, flood, reads };
serve(operations);

/** Open loop: appends of single events, to each tenant in turn. */
async function paced(
  input: Site &
    Pace & {
      tenants: readonly string[];
      /** Every how many events one is poisoned; 0 is never. */
      poisonEvery?: number;
      /** Each event says when it was meant to go. */
      timed?: boolean;
    },
): Promise<Produced> {
  const { tenants, poisonEvery = 0, timed = false } = input;
  const tally = createTally();
  const bodies = tenants.map((tenant) => appendBody(tenant, 1));
  const poison = tenants.map((tenant) => poisoned(appendBody(tenant, 1)));
  const waits = await openLoop(input, async (client, index, dueAt) => {
    const isPoison = poisonEvery > 0 && index % poisonEvery === 0;
    const at = index % tenants.length;
    const body = timed
      ? appendBody(tenants[at] ?? "", 1, dueAt)
      : ((isPoison ? poison : bodies)[at] ?? Buffer.alloc(0));
    tally.add(await client.send("POST", "/events", body), isPoison);
  });
  return { ...tally.total(), waits };
}

/** Open loop: batches, in which each event is for the next of the tenants. */
async function spray(
  input: Site & Pace & { tenants: readonly string[]; batch: number },
): Promise<Produced> {
  const { tenants, batch } = input;
  const tally = createTally();
  const events = tenants.map((tenant) => appendBody(tenant, 1));
  const waits = await openLoop(input, async (client, index) => {
    const own = Array.from(
      { length: batch },
      (_, at) => events[(index * batch + at) % events.length],
    );
    tally.add(await client.send("POST", "/events", `{"events":[${own.join(",")}]}`), false);
  });
  return { ...tally.total(), waits };
}

/** Closed loop: so many events of one tenant in batches of up to 1,000, whose subjects take turns. */
async function fill(
  input: Site & { tenant: string; events: number; subjects?: number; batch?: number },
): Promise<{ acknowledged: number; refused: number }> {
  const { tenant, events, subjects = 1, batch = fillBatch } = input;
  const client = createClient(input.url, input.key, 1);
  const tally = createTally();
  const text = appendBody(tenant, 1).toString();
  for (let from = 0; from < events; from += batch) {
    const own = Array.from({ length: Math.min(batch, events - from) }, (_, at) =>
      text.replace(/"subject":"[^"]+"/, `"subject":"order_${(from + at) % subjects}"`),
    );
    tally.add(await client.send("POST", "/events", `{"events":[${own.join(",")}]}`), false);
  }
  await client.close();
  return tally.total();
}

/** Open loop: pages that are full, each of the targets in turn. */
async function reads(
  input: Site & Pace & { targets: readonly string[]; pageEvents: number },
): Promise<{ wrong: number; waits: Float64Array }> {
  const { targets, pageEvents } = input;
  let wrong = 0;
  const waits = await openLoop(input, async (client, index) => {
    const { status, text } = await client.send("GET", targets[index % targets.length] ?? "");
    if (status !== 200 || text.split('"specversion"').length !== pageEvents + 1) wrong += 1;
  });
  return { wrong, waits };
}

/**
 * Requests that are due at fixed moments, whatever became of those before; so a stall counts for
 * each of them that it held up. Gives the time from when each was due to its answer.
 */
async function openLoop(
  { url, key, perSecond, seconds }: Site & Pace,
  request: (client: Client, index: number, dueAt: number) => Promise<void>,
): Promise<Float64Array> {
  // Enough for a stall of two seconds: what waits for a connection would not be sent.
  const client = createClient(url, key, Math.max(16, Math.ceil(perSecond * 2)));
  const waits = new Float64Array(Math.round(perSecond * seconds));
  await Promise.all(Array.from({ length: 16 }, () => client.send("GET", "/healthz")));
  const startAt = nowMs();
  const sending: Promise<void>[] = [];
  for (let index = 0; index < waits.length; index += 1) {
    const dueAt = startAt + (index * 1_000) / perSecond;
    while (nowMs() < dueAt) await delay(Math.max(1, Math.floor(dueAt - nowMs())));
    const sent = request(client, index, dueAt).then(() => {
      waits[index] = nowMs() - dueAt;
    });
    sent.catch(() => {}); // told by `all` at the end
    sending.push(sent);
  }
  await Promise.all(sending);
  await client.close();
  return waits;
}

/** Closed loop: each producer sends its next request when the last one is answered. */
async function flood(
  input: Site & { tenant: string; producers: number; batch: number; seconds: number },
): Promise<Produced> {
  const { tenant, producers, batch, seconds } = input;
  const client = createClient(input.url, input.key, producers);
  const tally = createTally();
  const body = appendBody(tenant, batch);
  const waits: number[] = [];
  const endAt = nowMs() + seconds * 1_000;
  await Promise.all(
    Array.from({ length: producers }, async () => {
      for (let sentAt = nowMs(); sentAt < endAt; sentAt = nowMs()) {
        tally.add(await client.send("POST", "/events", body), false);
        waits.push(nowMs() - sentAt);
      }
    }),
  );
  await client.close();
  return { ...tally.total(), waits: Float64Array.from(waits) };
}

function createTally() {
  let acknowledged = 0;
  let refused = 0;
  let poisonRefused = 0;
  return { add, total: () => ({ acknowledged, refused, poisonRefused }) };

  function add({ status, text }: Answer, isPoison: boolean): void {
    const statuses = status === 200 ? statusesOf(text) : [status];
    for (const each of statuses) {
      if (isPoison && each === 422) poisonRefused += 1;
      else if (each === 201 && !isPoison) acknowledged += 1;
      else refused += 1;
    }
  }
}

function statusesOf(text: string): number[] {
  const { results } = JSON.parse(text) as { results: { status: number }[] };
  return results.map(({ status }) => status);
}

function poisoned(body: Buffer): Buffer {
  return Buffer.from(body.toString().replace(/"type":"[^"]+"/, `"type":"${poisonType}"`));
}
