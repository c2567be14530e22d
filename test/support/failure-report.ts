/**
 * Measures what became of a tenant's events at one endpoint, from three sides: what was appended,
 * what the receiver got, and what the gateway recorded. Nothing in a row is what a test expected;
 * tests compare it with that themselves.
 */
import { appendFileSync } from "node:fs";
import postgres from "postgres";
import type { Client, ShownEndpoint } from "./client.ts";
import type { FailureMode } from "./failure-modes.ts";
import { isFullRun, rowsFile } from "./failure-run.ts";
import { eventOf } from "./pushes.ts";
import type { Receiver } from "./receiver.ts";

/** An event as its append was answered. */
export type AppendedEvent = { readonly id: string; readonly sequence: string };

export type Measured = {
  /** The last error that the endpoint shows. */
  readonly told: string | null;
  /** All that were made for these events, as recorded. */
  readonly attempts: number;
  /** Requests beyond the first for an event, as the receiver counts. */
  readonly duplicates: number;
  /** Events without an outcome, and those recorded as delivered that never arrived. */
  readonly lost: number;
  readonly delivered: number;
  readonly dead: number;
  /** They will be tried again, or are held while the endpoint is off. */
  readonly retrying: number;
  /** The longest that the last attempt of an event took, where its delivery is settled. */
  readonly latencyMs: number;
  readonly endpoint: ShownEndpoint;
};

export type FailureRow = {
  readonly mode: FailureMode;
  readonly told: string;
  readonly attempts: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly outcome: string;
};

type OutcomeRow = { sequence: number; status: string; attempts: number; latency_ms: number };

export async function measure(
  { client, databaseUrl }: { client: Client; databaseUrl: string },
  endpointId: string,
  events: readonly AppendedEvent[],
  receivers: readonly Pick<Receiver, "requests">[],
): Promise<Measured> {
  const [endpoint, outcomes] = await Promise.all([
    client.endpoint(endpointId),
    readOutcomes(databaseUrl, endpointId),
  ]);
  const received = new Map<string, number>();
  for (const request of receivers.flatMap(({ requests }) => requests)) {
    received.set(eventOf(request), (received.get(eventOf(request)) ?? 0) + 1);
  }
  const settled = { delivered: 0, dead: 0, retrying: 0, latencyMs: 0 };
  const measured = { attempts: 0, duplicates: 0, lost: 0, ...settled };
  for (const { id, sequence } of events) {
    const times = received.get(id) ?? 0;
    measured.duplicates += Math.max(times - 1, 0);
    const outcome = outcomes.get(Number(sequence));
    measured.attempts += outcome?.attempts ?? 0;
    measured.latencyMs = Math.max(measured.latencyMs, outcome?.latency_ms ?? 0);
    if (outcome?.status === "delivered") measured.delivered += 1;
    if (outcome?.status === "dead") measured.dead += 1;
    if (outcome?.status === "retrying") measured.retrying += 1;
    const arrivedNowhere = outcome?.status === "delivered" && times === 0;
    if (outcome === undefined || arrivedNowhere) measured.lost += 1;
  }
  return { ...measured, told: endpoint.last_failure?.error ?? null, endpoint };
}

/** `notes` are further figures of the same run, such as how long it took. */
export function report(mode: FailureMode, measured: Measured, ...notes: readonly string[]): void {
  if (rowsFile === undefined) return;
  const { told, attempts, duplicates, lost } = measured;
  const outcome = [...outcomeWords(measured), ...notes].join(", ");
  const row: FailureRow = { mode, told: told ?? "–", attempts, duplicates, lost, outcome };
  // Test files are processes of their own; short lines that are appended do not mix.
  appendFileSync(rowsFile, `${JSON.stringify(row)}\n`);
}

/** A time for a note. */
export function secondsText(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** Small sizes are part of `npm test`; the large ones are for `--full`. */
export function sized(small: number, full: number): number {
  return isFullRun ? full : small;
}

function outcomeWords({ delivered, dead, retrying, endpoint }: Measured): string[] {
  const { status, status_reason: reason } = endpoint;
  return [
    ...(delivered > 0 ? [`${delivered} delivered`] : []),
    ...(dead > 0 ? [`${dead} dead`] : []),
    ...(retrying > 0 ? [`${retrying} ${status === "active" ? "to be tried again" : "held"}`] : []),
    ...(status === "active" ? [] : [`endpoint ${status}: ${reason}`]),
  ];
}

async function readOutcomes(url: string, endpoint: string): Promise<Map<number, OutcomeRow>> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const id = endpoint.replace(/^ep_/, "");
  try {
    const rows = await sql<OutcomeRow[]>`
      select sequence::float8 as sequence, status, attempts, latency_ms from deliveries
      where endpoint = ${id}
      union all
      select sequence::float8, 'retrying', attempts, 0 from retries where endpoint = ${id}`;
    return new Map(rows.map((row) => [row.sequence, row]));
  } finally {
    await sql.end();
  }
}
