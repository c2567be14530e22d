/**
 * Which process keeps house: one at a time. The lease is a row that its holder renews; when the
 * holder dies it runs out, and whoever asks next has it. The database's clock judges expiry; the
 * holder stops by its own monotonic clock, at a time taken before it asked, so it stops first.
 *
 * A holder that slept through its lease may still finish the one statement that was under way, so
 * whatever is done under the lease must bear being done twice.
 */
import type { Sql } from "../db/database.ts";
import type { ReadSql } from "../db/read-within.ts";
import type { Logger } from "../telemetry/logger.ts";

/** One small statement for each, which is also all that an idle process does here. */
const renewEveryMs = 2_000;

/** A dead holder's place is free after this, and taken within one renewal. */
const leaseMs = 7_000;

/** How long before the lease runs out the holder stops, for the clocks' different speeds. */
const marginMs = 1_000;

export type Lease = {
  /** False when the lease may have run out: nothing new may be started then. */
  isHeld(): boolean;
  /** Gives it back at once, so that others need not wait until it runs out. */
  stop(): Promise<void>;
};

export function startLease(options: {
  sql: Sql;
  log: Logger;
  /** This process, as a uuid. */
  process: string;
  /** No other process can be alive (embedded mode): the lease of a dead one need not run out. */
  alone: boolean;
  gained: () => void;
}): Lease {
  const { sql, log, process, alone, gained } = options;
  let prepared = false;
  let stopAt = 0;
  let keeping = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let turning = turn();
  return { isHeld, stop };

  function isHeld(): boolean {
    return performance.now() < stopAt;
  }

  async function turn(): Promise<void> {
    try {
      if (!prepared) await prepare();
      sayWhenLate();
      const askedAt = performance.now();
      const granted = await ask();
      // Only now: it may have run out while the answer was on its way.
      sayWhenLate();
      stopAt = granted ? askedAt + leaseMs - marginMs : 0;
      if (!granted) keeping = false;
      if (!keeping && isHeld()) {
        keeping = true;
        log.info({ process }, "keeping house");
        gained();
      }
    } catch (error) {
      log.warn({ err: error }, "housekeeper's lease not renewed, trying again");
    }
    if (stopped) return;
    timer = setTimeout(() => {
      turning = turn();
    }, renewEveryMs);
  }

  /** The process was stopped or starved, or the database away, for longer than the lease holds. */
  function sayWhenLate(): void {
    if (!keeping || isHeld()) return;
    keeping = false;
    const lateMs = Math.round(performance.now() - stopAt);
    log.warn({ process, lateMs }, "housekeeper's lease not renewed in time: keeps house no more");
  }

  async function prepare(): Promise<void> {
    await sql`insert into housekeeper default values on conflict do nothing`;
    if (alone) await sql`update housekeeper set expires_at = 'epoch'`;
    prepared = true;
  }

  /** Renews the lease or takes one that ran out. */
  async function ask(): Promise<boolean> {
    const rows = await sql`
      update housekeeper
      set owner = ${process}, expires_at = clock_timestamp() + ${`${leaseMs} ms`}::interval
      where owner = ${process} or expires_at < clock_timestamp()
      returning owner`;
    return rows.length > 0;
  }

  async function stop(): Promise<void> {
    stopped = true;
    await turning;
    clearTimeout(timer);
    if (!isHeld()) return;
    stopAt = 0;
    await sql`
      update housekeeper set owner = null, expires_at = 'epoch' where owner = ${process}`.catch(
      (error: unknown) => log.warn({ err: error }, "housekeeper's lease not given back"),
    );
  }
}

/** Who keeps house now, by its uuid; null when nobody does. */
export async function readKeeper(sql: ReadSql): Promise<string | null> {
  const [row] = await sql<{ owner: string | null }[]>`
    select owner from housekeeper where expires_at >= clock_timestamp()`;
  return row?.owner ?? null;
}
