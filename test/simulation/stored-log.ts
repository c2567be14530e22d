/** A tenant's log as it is in the database at the end. */
import { crc32 } from "node:zlib";
import type { World } from "./world.ts";

/** Everything by sequence, from 1. */
export type StoredLog = {
  readonly head: number;
  readonly fingerprints: readonly number[];
  readonly types: readonly string[];
  readonly subjects: readonly string[];
  readonly checksums: readonly number[];
  /** Where each event is, by its producer and number. */
  readonly places: ReadonlyMap<string, readonly number[]>;
};

const pageRows = 5_000;

export async function readLog(world: World, tenant: string): Promise<StoredLog> {
  const log = {
    ...{ head: 0, fingerprints: [] as number[], types: [] as string[] },
    ...{ subjects: [] as string[], checksums: [] as number[], places: new Map<string, number[]>() },
  };
  for (;;) {
    const rows = await world.sql<
      { sequence: number; type: string; subject: string; envelope: string }[]
    >`
      select e.sequence, e.type, e.subject, e.envelope
      from events e join tenants t on t.id = e.tenant
      where t.name = ${tenant} and e.sequence > ${log.head}
      order by e.sequence limit ${pageRows}`;
    for (const { sequence, type, subject, envelope } of rows) {
      const expected = log.head + 1;
      if (sequence !== expected) {
        world.violations.report("dense", `${tenant}: ${sequence} in place of ${expected}`);
      }
      log.head = sequence;
      const event = JSON.parse(envelope) as { id: string; data: { producer: string; n: number } };
      log.fingerprints[sequence] = fingerprintOf(event.id);
      log.types[sequence] = type;
      log.subjects[sequence] = subject;
      log.checksums[sequence] = crc32(envelope);
      const key = `${event.data.producer}:${event.data.n}`;
      const places = log.places.get(key);
      if (places === undefined) log.places.set(key, [sequence]);
      else places.push(sequence);
    }
    if (rows.length < pageRows) return log;
  }
}

export function fingerprintOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16);
}

export function matchingOf({ head, types }: StoredLog, wanted: string | undefined): number[] {
  const matching: number[] = [];
  for (let sequence = 1; sequence <= head; sequence += 1) {
    if (wanted === undefined || types[sequence] === wanted) matching.push(sequence);
  }
  return matching;
}
