/**
 * How the installation as a whole stands, as its database tells: for whoever runs it. Read in parts,
 * one after the other, each of which is left out when it takes too long, so that a large or a slow
 * installation still gets most of the answer. Who asks at the same time shares one look.
 */
import { readMigrations, type Migrations } from "../db/migrations.ts";
import type { Sql } from "../db/database.ts";
import { readWithin, type ReadSql } from "../db/read-within.ts";
import { readOverview, type Overview } from "../deliveries/overview.ts";
import { createReplayStore, type Replay } from "../deliveries/replays.ts";
import { readKeeper } from "../log/lease.ts";
import { readStorage, type Storage } from "../log/storage.ts";

/** A process that pushes; see push/processes.ts. */
export type PushProcess = {
  readonly id: string;
  readonly shards: readonly number[];
  readonly renewedAt: number;
  readonly isLeaving: boolean;
};

export type Installation = {
  readonly processes: {
    readonly pushing: readonly PushProcess[];
    /** The process that keeps house; null when none does. */
    readonly keeper: string | null;
    readonly migrations: Migrations;
  };
  readonly overview: Overview;
  readonly replays: { readonly total: number; readonly replays: readonly Replay[] };
  readonly storage: Storage;
};

/** Undefined: it took too long. */
export type InstallationRead = {
  readonly [Part in keyof Installation]: Installation[Part] | undefined;
};

export type SystemReader = { read(): Promise<InstallationRead> };

/** Some fifty times what the largest part takes with 100,000 tenants. */
const defaultPartMaxMs = 1_500;

/** As many as a page shows; the counts beside them are of all. */
const failingMax = 20;
const replaysMax = 20;

export function createSystemReader(options: {
  sql: Sql;
  readPushProcesses: (sql: ReadSql) => Promise<readonly PushProcess[]>;
  partMaxMs?: number;
}): SystemReader {
  const { sql, readPushProcesses, partMaxMs = defaultPartMaxMs } = options;
  let reading: Promise<InstallationRead> | undefined;
  return { read };

  function read(): Promise<InstallationRead> {
    reading ??= readParts().finally(() => (reading = undefined));
    return reading;
  }

  async function readParts(): Promise<InstallationRead> {
    return {
      processes: await part(async (transaction) => ({
        pushing: await readPushProcesses(transaction),
        keeper: await readKeeper(transaction),
        migrations: await readMigrations(transaction),
      })),
      overview: await part((transaction) => readOverview(transaction, failingMax)),
      replays: await part((transaction) => createReplayStore(transaction).running(replaysMax)),
      storage: await part(readStorage),
    };
  }

  function part<Found>(read: (sql: ReadSql) => Promise<Found>): Promise<Found | undefined> {
    return readWithin(sql, partMaxMs, read);
  }
}
