/**
 * Consumers that keep a cursor: pollers (long poll) and stream readers (server-sent events). Each
 * writes down every event it got, goes to another process when one fails, and goes on from its
 * cursor, as a customer's program does.
 */
import type { Apis } from "./apis.ts";
import { createPhaseLatencies, createPulse, type Phase, type Violations } from "./records.ts";

export type Reader = ReturnType<typeof createReader>;

type Event = { id: string; sequence: string; data: { at: number } };

/** Of a long poll. */
const waitSeconds = 5;

const marksMax = 500;

export function createReader(options: {
  kind: "poll" | "stream";
  tenant: string;
  /** Of the events it wants; all when undefined. */
  types: string | undefined;
  apis: Apis;
  phase: () => Phase;
  violations: Violations;
}) {
  const { kind, tenant, types, apis, phase, violations } = options;
  const name = `${kind} of ${tenant}${types === undefined ? "" : `, ${types}`}`;
  const caller = apis.caller();
  /** In the order in which they came, with the last half of their ids as a number. */
  const sequences: number[] = [];
  const fingerprints: number[] = [];
  const pulse = createPulse();
  const latencies = createPhaseLatencies();
  const selection = `tenant=${tenant}${types === undefined ? "" : `&types=${types}`}`;
  /** The last positions with their cursors, for whoever has to go back. */
  const marks: { sequence: number; cursor: string }[] = [];
  let cursor: string | undefined;
  let reconnects = 0;
  return {
    ...{ kind, name, tenant, types, sequences, fingerprints, marks, pulse, latencies, run },
    reconnects: () => reconnects,
  };

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await (kind === "poll" ? poll() : follow(signal));
      } catch {
        if (signal.aborted) return;
        reconnects += 1;
        await caller.next();
      }
    }
  }

  async function poll(): Promise<void> {
    const from = cursor === undefined ? "from=earliest" : `cursor=${cursor}`;
    const path = `/events?${selection}&${from}&wait=${waitSeconds}`;
    const { status, text } = await caller.ask("GET", path, { waitMs: waitSeconds * 1_000 });
    expectOk(status, text);
    const page = JSON.parse(text) as { events: Event[]; cursor: string };
    for (const event of page.events) take(event);
    moveTo(page.cursor);
  }

  async function follow(signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = cursor === undefined ? {} : { "last-event-id": cursor };
    const path = `/events/stream?${selection}&from=earliest`;
    const { status, body } = await caller.open(path, headers, signal);
    if (status !== 200) expectOk(status, await body.text());
    let text = "";
    for await (const chunk of body.setEncoding("utf8") as AsyncIterable<string>) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) takeBlock(block);
    }
    reconnects += 1;
  }

  function takeBlock(block: string): void {
    const field = (wanted: string) => new RegExp(`^${wanted}: (.*)$`, "m").exec(block)?.[1];
    const [event, data, id] = [field("event"), field("data"), field("id")];
    if (event === "problem") return expectOk(500, data ?? "");
    if (event === undefined && data !== undefined) take(JSON.parse(data) as Event);
    if (id !== undefined) moveTo(id);
  }

  function moveTo(next: string): void {
    cursor = next;
    marks.push({ sequence: sequences.at(-1) ?? 0, cursor });
    if (marks.length > 2 * marksMax) marks.splice(0, marksMax);
  }

  /** A cursor that was good once is good for ever. */
  function expectOk(status: number, text: string): void {
    if (status === 200) return;
    if (status === 410 || status === 400 || /problems\/(cursor|feed)-/.test(text)) {
      violations.report("resumable", `${name}: ${status} ${text}`);
    }
    throw new Error(`${status} ${text}`);
  }

  function take({ id, sequence, data }: Event): void {
    const number = Number(sequence);
    const last = sequences.at(-1) ?? 0;
    const isNext = types === undefined ? number === last + 1 : number > last;
    if (!isNext) violations.report("readers", `${name} got ${number} after ${last}`);
    sequences.push(number);
    fingerprints.push(Number.parseInt(id.slice(-8), 16));
    latencies[phase()].record(Date.now() - data.at);
    pulse.beat();
  }
}
