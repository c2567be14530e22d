/**
 * Named consumers: their place is kept by the gateway. Each reads what follows it and acknowledges
 * the page, mostly; some acknowledgements are left out and some lose their answer, and the page comes
 * again then.
 */
import type { Apis } from "./apis.ts";
import { createPhaseLatencies, createPulse, type Phase, type Violations } from "./records.ts";

export type NamedConsumer = ReturnType<typeof createNamedConsumer>;

type Event = { id: string; sequence: string; data: { at: number } };

/** Of a long poll. */
const waitSeconds = 5;

/** Small, so that a place is acknowledged often. */
const pageEvents = 50;

/** Of so many pages one is not acknowledged. */
const forgetsOneOf = 7;

export function createNamedConsumer(options: {
  tenant: string;
  /** Of the events it wants; all when undefined. */
  types: string | undefined;
  apis: Apis;
  phase: () => Phase;
  violations: Violations;
}) {
  const { tenant, types, apis, phase, violations } = options;
  const name = types === undefined ? "everything" : "some";
  const called = `consumer ${name} of ${tenant}`;
  const caller = apis.caller();
  /** In order, each once. */
  const sequences: number[] = [];
  const fingerprints: number[] = [];
  const pulse = createPulse();
  const latencies = createPhaseLatencies();
  let acknowledged = 0;
  let pages = 0;
  let repeats = 0;
  let made = false;
  return {
    ...{ name: called, tenant, types, sequences, fingerprints, pulse, latencies, run },
    repeats: () => repeats,
  };

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (made) await read();
        else await make();
      } catch {
        if (!signal.aborted) await caller.next();
      }
    }
  }

  async function make(): Promise<void> {
    const wanted = { tenant, start: "earliest", ...(types !== undefined && { types: [types] }) };
    await ask("PUT", "", { body: JSON.stringify(wanted) }, [200, 201]);
    made = true;
  }

  async function read(): Promise<void> {
    const path = `/events?tenant=${tenant}&limit=${pageEvents}&wait=${waitSeconds}`;
    const page = (await ask("GET", path, { waitMs: waitSeconds * 1_000 })) as Page;
    let before: number | undefined;
    for (const event of page.events) {
      take(event, before);
      before = Number(event.sequence);
    }
    pages += 1;
    if (before === undefined || pages % forgetsOneOf === 0) return;
    await ask("POST", "/ack", { body: JSON.stringify({ tenant, cursor: page.cursor }) });
    acknowledged = before;
  }

  /** `before` is the one before it in its page. */
  function take({ id, sequence, data }: Event, before: number | undefined): void {
    const number = Number(sequence);
    const last = sequences.at(-1) ?? 0;
    if (number <= acknowledged) report(`${number}, and ${acknowledged} was acknowledged`);
    if (before !== undefined && number <= before) report(`${number} after ${before}`);
    if (number <= last) {
      repeats += 1;
      return;
    }
    if (types === undefined && number !== last + 1) report(`${number} after ${last}`);
    sequences.push(number);
    fingerprints.push(Number.parseInt(id.slice(-8), 16));
    latencies[phase()].record(Date.now() - data.at);
    pulse.beat();
  }

  async function ask(
    method: "GET" | "POST" | "PUT",
    path: string,
    options: { body?: string; waitMs?: number },
    wanted: readonly number[] = [200],
  ): Promise<unknown> {
    const { status, text } = await caller.ask(method, `/consumers/${name}${path}`, options);
    if (wanted.includes(status)) return JSON.parse(text);
    if (status < 500) report(`${status} ${text}`);
    throw new Error(`${status} ${text}`);
  }

  function report(what: string): void {
    violations.report("consumers", `${called}: ${what}`);
  }
}

type Page = { events: Event[]; cursor: string };
