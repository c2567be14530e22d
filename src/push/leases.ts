/**
 * Which shards this process drives. Each shard is leased to one process at a time; processes share
 * them evenly, and take over those of a process that died when its leases run out. The database's
 * clock judges expiry; this process stops by its own monotonic clock, at a time taken before it
 * asked for the renewal, so it stops first.
 *
 * A process that was stopped, or starved of its processor, for longer than its lease finds out by
 * that clock, which goes on meanwhile, before it starts anything. It may still finish requests that
 * were under way: sockets cannot be fenced. What it writes afterwards carries an old epoch and
 * changes nothing. A virtual machine that is suspended as a whole takes that clock along: the
 * process may then start attempts until its next renewal tells it, and writes nothing either.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Renewed every second; a dead process's shards are free after four, and claimed right then. */
const renewEveryMs = 1_000;
export const leaseMs = 4_000;

/** After somebody's leases have run out, so that the database agrees that they have. */
const afterExpiryMs = 20;

/** How long before the lease runs out the owner stops, for the clocks' different speeds. */
const marginMs = 500;

/** How often it looks at its clock. A look that comes later than the margin was kept from coming. */
const lookEveryMs = marginMs / 2;

export type Leases = {
  /** False when the leases may have run out: nothing new may be started then. */
  isHeld(): boolean;
  /**
   * Takes no more shards, and gives back each as soon as it is not busy: nobody waits for the slowest
   * attempt of all.
   */
  leave(busyShards: () => ReadonlySet<number>): void;
  /** Gives the shards back at once, so that others need not wait for the leases to run out. */
  stop(): Promise<void>;
};

export async function startLeases(options: {
  sql: Sql;
  log: Logger;
  /** This process, as a uuid. */
  process: string;
  shards: number;
  /** No other process can be alive (embedded mode): leases of a dead one need not run out. */
  alone: boolean;
  /** Shards with the epochs of their leases. */
  gained: (claimed: ReadonlyMap<number, number>) => void;
  /** Must stop new work for the shard at once; the promise settles when the rest is written. */
  lost: (shards: number[]) => Promise<void>;
}): Promise<Leases> {
  const { sql, log, process, shards, alone, gained, lost } = options;
  const held = new Map<number, number>();
  let stopAt = 0;
  let lookedAt = performance.now();
  /** Sooner than the next renewal when a process that renews no more runs out before it. */
  let nextTurnMs = renewEveryMs;
  let stopped = false;
  /** Set while leaving. */
  let busyShards: (() => ReadonlySet<number>) | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Never rejects. One turn at a time, or a shard claimed by one would be missed by the next. */
  let turning: Promise<void> = Promise.resolve();
  /** Shards that are being given up. Renewals go on meanwhile. */
  const handovers = new Set<Promise<void>>();

  await sql`
    insert into shard_leases (shard) select generate_series(0, ${shards}::int - 1)
    on conflict do nothing`;
  if (alone) {
    await sql`update shard_leases set expires_at = 'epoch'`;
    // Otherwise the dead one would be given its share until its time is over.
    await sql`delete from push_processes`;
  }
  await turn();
  const watchdog = setInterval(look, lookEveryMs);
  schedule(renewEveryMs);
  return { isHeld: () => performance.now() < stopAt, leave, stop };

  function schedule(afterMs: number) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      turning = turning
        .then(turn)
        .catch((error: unknown) => log.warn({ err: error }, "leases not renewed, trying again"))
        .finally(() => {
          if (!stopped) schedule(nextTurnMs);
        });
    }, afterMs);
  }

  async function turn(): Promise<void> {
    const askedAt = performance.now();
    nextTurnMs = renewEveryMs;
    const { renewed, share, othersLeftMs } = await renew();
    nextTurnMs = Math.min(renewEveryMs, othersLeftMs + afterExpiryMs);
    stopAt = askedAt + leaseMs - marginMs;
    const gone = [...held.keys()].filter((shard) => renewed.get(shard) !== held.get(shard));
    if (gone.length > 0) handOver(letGo(gone, "taken over by another process"));

    const busy = busyShards?.();
    if (busy !== undefined) handOver(release([...held.keys()].filter((shard) => !busy.has(shard))));
    else if (held.size > share) handOver(release([...held.keys()].slice(share)));
    else if (held.size < share && !stopped) await claim(share - held.size);
  }

  /**
   * Also tells how many shards are this process's share (those of all add up to all), and when the
   * first of the others runs out: one that is alive has three seconds left at least. A process and
   * its shards run out at one moment, that of the statement.
   */
  async function renew() {
    const expiry = `${leaseMs} milliseconds`;
    const leaving = busyShards !== undefined;
    const rows = await sql<
      {
        shard: number | null;
        epoch: number;
        others: number;
        before: number;
        left_ms: number | null;
      }[]
    >`
      with me as (
        insert into push_processes (id, expires_at)
        select ${process}, statement_timestamp() + ${expiry}::interval where not ${leaving}
        on conflict (id) do update set expires_at = excluded.expires_at
      ), dead as (
        delete from push_processes where id in (
          select id from push_processes
          where case id when ${process} then ${leaving} else expires_at < clock_timestamp() end
          for update skip locked)
      ), mine as (
        -- In the order in which outcomes lock them, or the two could wait for each other.
        select shard from shard_leases
        where owner = ${process} and shard = any(${`{${[...held.keys()].join(",")}}`}::smallint[])
        order by shard for update
      ), renewed as (
        update shard_leases s set expires_at = statement_timestamp() + ${expiry}::interval
        from mine where s.shard = mine.shard
        returning s.shard, s.epoch
      )
      select r.shard, r.epoch, p.others, p.before, p.left_ms
      from (select count(*)::int as others, (count(*) filter (where id < ${process}))::int as before,
              ceil(extract(epoch from min(expires_at) - clock_timestamp()) * 1000)::int as left_ms
            from push_processes
            where id <> ${process} and expires_at >= clock_timestamp()) p
      left join renewed r on true`;
    const renewed = new Map(
      rows.flatMap(({ shard, epoch }) => (shard === null ? [] : [[shard, epoch]])),
    );
    const { others, before, left_ms } = rows[0] ?? { others: 0, before: 0, left_ms: null };
    // The ones left over go to the first processes, in the order of their ids.
    const rest = shards % (others + 1);
    const share = Math.floor(shards / (others + 1)) + (before < rest ? 1 : 0);
    return { renewed, share, othersLeftMs: Math.max(0, left_ms ?? Infinity) };
  }

  async function claim(count: number): Promise<void> {
    const rows = await sql<{ shard: number; epoch: number }[]>`
      update shard_leases s
      set owner = ${process}, epoch = s.epoch + 1,
        expires_at = clock_timestamp() + ${`${leaseMs} milliseconds`}::interval
      from (select shard from shard_leases where expires_at < clock_timestamp()
            order by random() limit ${count} for update skip locked) free
      where s.shard = free.shard
      returning s.shard, s.epoch`;
    if (rows.length === 0) return;
    for (const { shard, epoch } of rows) held.set(shard, epoch);
    log.info({ gained: rows.length, held: held.size }, "shards");
    gained(new Map(rows.map(({ shard, epoch }) => [shard, epoch])));
  }

  /** In order: stop the work, write its outcomes, then give the shards to whoever wants them. */
  async function release(some: number[]): Promise<void> {
    if (some.length === 0) return;
    const epochs = some.map((shard) => held.get(shard) ?? 0);
    await letGo(some, "handed over");
    await sql`
      with given as (
        select s.shard from shard_leases s
        join unnest(${arrayText(some)}::smallint[], ${arrayText(epochs)}::bigint[])
          as given(shard, epoch) on given.shard = s.shard and given.epoch = s.epoch
        where s.owner = ${process} order by s.shard for update of s
      )
      update shard_leases s set owner = null, expires_at = 'epoch'
      from given where s.shard = given.shard`;
  }

  function handOver(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => log.warn({ err: error }, "shards not handed over"))
      .finally(() => handovers.delete(done));
    handovers.add(done);
  }

  async function letGo(some: number[], why: string): Promise<void> {
    for (const shard of some) held.delete(shard);
    log.info({ lost: some.length, held: held.size, why }, "shards");
    await lost(some);
  }

  function look(): void {
    const now = performance.now();
    const keptMs = Math.round(now - lookedAt - lookEveryMs);
    lookedAt = now;
    if (held.size === 0 || now < stopAt) return;
    if (keptMs > marginMs) {
      log.warn(
        { shards: held.size, keptMs, leaseMs },
        `was stopped or starved for ${keptMs} ms while its leases ran out: gives up its shards`,
      );
    }
    handOver(letGo([...held.keys()], "the lease could not be renewed in time"));
  }

  function leave(busy: () => ReadonlySet<number>): void {
    busyShards = busy;
    schedule(0);
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    clearInterval(watchdog);
    await turning;
    await Promise.all(handovers);
    await release([...held.keys()]);
    await sql`delete from push_processes where id = ${process}`;
  }
}
