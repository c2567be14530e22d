/**
 * Appends a tenant's payloads in order, one by one and in small batches. A request that was not
 * answered, or answered 503, is sent again: the events' keys keep it from appending twice.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Api } from "./api.ts";
import { between, createDice } from "./chance.ts";
import type { Ledger } from "./ledger.ts";
import type { Payload } from "./payloads.ts";

/** Slow enough that consumers come and go while it appends, fast enough for a demo. */
const appendingMs = 8_000;

const batchMaxEvents = 8;

const retryPauseMs = 500;

type Appended = { readonly status?: number; readonly sequence?: string };

export async function produce(options: {
  api: Api;
  tenant: string;
  ledger: Ledger;
  seed: number;
  signal: AbortSignal;
}): Promise<void> {
  const { api, tenant, ledger, seed, signal } = options;
  const dice = createDice(seed, `producer/${tenant}`);
  const plan = ledger.plan(tenant);
  const startedAt = performance.now();

  let done = 0;
  while (done < plan.length) {
    const batch = plan.slice(done, done + between(dice, 1, batchMaxEvents));
    const events = batch.map((payload, index) => eventText(payload, `github-${done + index}`));
    const results = await append(events);
    for (const { sequence } of results) {
      done += 1;
      ledger.counts.appended += 1;
      if (Number(sequence) === done) continue;
      ledger.fault(`producer of ${tenant}: event ${done} was given the sequence ${sequence}`);
    }
    // By the clock, so that a slow machine makes up for lost time.
    const dueAt = startedAt + (appendingMs * done) / plan.length;
    await delay(Math.max(dueAt - performance.now(), 0), undefined, { signal });
  }

  async function append(events: readonly string[]): Promise<readonly Appended[]> {
    const [only] = events;
    const isBatch = events.length > 1 || only === undefined;
    const answer = await post(isBatch ? `{"events":[${events.join(",")}]}` : only);
    const { results } = isBatch
      ? (JSON.parse(answer) as { results: Appended[] })
      : { results: [JSON.parse(answer) as Appended] };
    const refused = results.find(({ status = 201 }) => status >= 400);
    if (refused !== undefined || results.length !== events.length) {
      throw new Error(`an append was refused: ${JSON.stringify(refused ?? results)}`);
    }
    return results;
  }

  async function post(body: string): Promise<string> {
    for (;;) {
      const answer = await api.request("POST", "/events", body).catch((error: unknown) => {
        signal.throwIfAborted();
        return { status: 503, text: String(error) };
      });
      if (answer.status < 300) return answer.text;
      if (answer.status !== 503) throw new Error(`an append was answered ${answer.text}`);
      await delay(retryPauseMs, undefined, { signal });
    }
  }

  /** Some producers indent. The gateway drops the white space and leaves the rest as it is. */
  function eventText({ type, subject, data }: Payload, key: string): string {
    const head = JSON.stringify({ tenant, type, subject, key });
    const text = dice() < 0.5 ? data : JSON.stringify(JSON.parse(data), null, 2);
    return `${head.slice(0, -1)},"data":${text}}`;
  }
}
