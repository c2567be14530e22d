/** Endpoints of a trial: made over HTTP, and counted in the database apart from the gateway. */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Client } from "./client.ts";

export type MadeEndpoint = { readonly id: string; readonly uuid: string };

export type EndpointSettings = {
  readonly tenant: string;
  readonly url: string;
  readonly start?: "latest" | "earliest";
  readonly timeout_ms?: number;
  readonly max_in_flight?: number;
  readonly rate_per_second?: number;
  readonly ordering?: "parallel" | "fifo" | "subject";
  readonly retry_schedule?: readonly string[];
};

/** Calls of the gateway at once, where there are many to make. */
const parallelCalls = 8;

const lookMs = 50;

export async function createEndpoint(
  client: Client,
  settings: EndpointSettings,
): Promise<MadeEndpoint> {
  const made = await client.expect("POST", "/endpoints", JSON.stringify(settings));
  const { id } = made as { id: string };
  return { id, uuid: endpointUuid(id) ?? "" };
}

export async function removeEndpoint(client: Client, { id }: MadeEndpoint): Promise<void> {
  await client.expect("DELETE", `/endpoints/${id}`);
}

/** Several at a time. */
export async function forEach<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: parallelCalls }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
    }),
  );
}

export type Rows = {
  readonly deliveries: number;
  readonly retries: number;
  readonly attempts: number;
  readonly subjects: number;
};

/** All that is written of an endpoint beside its position. */
export async function rowsOf(sql: Sql, { uuid }: MadeEndpoint): Promise<Rows> {
  const [rows] = await sql<Rows[]>`
    select (select count(*) from deliveries where endpoint = ${uuid}) as deliveries,
      (select count(*) from retries where endpoint = ${uuid}) as retries,
      (select count(*) from attempts where endpoint = ${uuid}) as attempts,
      (select count(*) from blocked_subjects where endpoint = ${uuid}) as subjects`;
  if (rows === undefined) throw new Error("nothing was counted");
  return rows;
}

export function rowsSum({ deliveries, retries, attempts, subjects }: Rows): number {
  return deliveries + retries + attempts + subjects;
}

export async function circuitOf(
  sql: Sql,
  { uuid }: MadeEndpoint,
): Promise<{ circuit: string; probes: number }> {
  const [row] = await sql<{ circuit: string; probes: number }[]>`
    select circuit, circuit_probes as probes from positions where consumer = ${uuid}`;
  if (row === undefined) throw new Error("the endpoint has no position");
  return row;
}

/** Looks until it is so; throws when it takes too long. */
export async function until(
  what: string,
  patienceSeconds: number,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + patienceSeconds * 1_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceSeconds} s`);
    await delay(lookMs);
  }
}
