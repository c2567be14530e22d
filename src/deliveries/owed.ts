/**
 * What an endpoint owes besides what follows its position: failed deliveries that are to be tried
 * again, and subjects that it is behind with. Outcomes bring them (ledger.ts); here they go when
 * the endpoint goes, or is put elsewhere in the log.
 *
 * There may be a million retries, and nobody may wait for a lock that long. So they go in steps,
 * each a statement of its own. Whoever is interrupted in the middle leaves what was owed owed.
 */
import { sql as template } from "drizzle-orm";
import type { OrmTransaction } from "../db/database.ts";
import { positions } from "../db/delivery-schema.ts";
import { cancelReplays } from "./replays.ts";
import { isMoving, type Consumer, type Moved } from "./positions.ts";

/** About 50 ms of work. */
const stepMaxRows = 5_000;

/** Deliveries of the retries that a step took, if it was behind its `fence`. */
const skippedOfTaken = template`skipped as (
  insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
    first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, requeued,
    receipt_status, receipt_detail, receipt_at)
  -- What was accepted is so, with or without its receipt.
  select tenant, endpoint, day, sequence,
    case when awaiting then 'delivered' else 'skipped' end, attempts, previous,
    first_attempt_at, last_attempt_at, 0, 0, status_code, error, requeued,
    receipt_status, receipt_detail, receipt_at
  from taken
  -- A day that retention has taken has no partition, and nobody asks for it any more.
  where day >= (select oldest_day from log_settings) and exists (select from fence)
  -- One that was settled before, and then sent again, stays what it was.
  on conflict do nothing
)`;

/**
 * Of a consumer without a position: what it owed is skipped, so that whoever asks what became of an
 * event is told what was tried. Outcomes that come later find no position and leave nothing here.
 */
export async function removeOwed(orm: OrmTransaction, of: Consumer): Promise<void> {
  const { tenant, consumer } = of;
  await inSteps(async () => {
    const taken = await orm.execute(template`
      with fence as materialized (
        -- An erasure that begins meanwhile waits, and so it takes what is written here, too.
        select from tenants where id = ${tenant} and erasing_since is null for share
      ), taken as (
        delete from retries where ctid = any(array(
          select ctid from retries where tenant = ${tenant} and endpoint = ${consumer}
          limit ${stepMaxRows}))
        returning *
      ), ${skippedOfTaken}
      select sequence from taken`);
    return taken.count;
  });
  await orm.execute(template`
    delete from blocked_subjects where tenant = ${tenant} and endpoint = ${consumer}`);
  await cancelReplays(orm, of);
}

/**
 * Of a consumer that was put at a position and is not served yet. What it owed up to there is
 * skipped, which deliveries tell; what it owed beyond will be sent again with all that follows.
 *
 * Each step holds the position `for share` and asks whether the consumer is still on its way: a
 * step that comes after it is served again would take what is owed from there on.
 */
export async function skipOwed(orm: OrmTransaction, moved: Moved): Promise<void> {
  await inSteps(() => skipRetries(orm, moved));
  await inSteps(() => removeRetriesBeyond(orm, moved));
  await keepReceiptsBefore(orm, moved);
  await inSteps(() => removeReceiptsBeyond(orm, moved));
  const { tenant, consumer } = moved;
  await orm.execute(template`
    with fence as materialized (${fence(orm, moved)})
    delete from blocked_subjects
    where tenant = ${tenant} and endpoint = ${consumer} and exists (select from fence)`);
}

async function skipRetries(orm: OrmTransaction, moved: Moved): Promise<number> {
  const { tenant, consumer, sequence } = moved;
  const taken = await orm.execute(template`
    with fence as materialized (${fence(orm, moved)}), taken as (
      delete from retries where exists (select from fence) and ctid = any(array(
        select ctid from retries
        where tenant = ${tenant} and endpoint = ${consumer} and sequence <= ${sequence}
        order by sequence limit ${stepMaxRows}))
      returning *
    ), ${skippedOfTaken}
    select sequence from taken`);
  return taken.count;
}

async function removeRetriesBeyond(orm: OrmTransaction, moved: Moved): Promise<number> {
  const { tenant, consumer, sequence } = moved;
  const { count } = await orm.execute(template`
    with fence as materialized (${fence(orm, moved)})
    delete from retries where exists (select from fence) and ctid = any(array(
      select ctid from retries
      where tenant = ${tenant} and endpoint = ${consumer} and sequence > ${sequence}
      order by sequence limit ${stepMaxRows}))`);
  return count;
}

/** Of a receipt through a cursor beyond it, what it says of all up to there. */
async function keepReceiptsBefore(orm: OrmTransaction, moved: Moved): Promise<void> {
  const { tenant, consumer, sequence, movedAt } = moved;
  await orm.execute(template`
    with fence as materialized (${fence(orm, moved)})
    insert into receipt_ranges (tenant, endpoint, after, through, day, detail, at)
    select g.tenant, g.endpoint, g.after, p.sequence, p.day, g.detail, g.at
    from positions p cross join lateral (
      select * from receipt_ranges
      where tenant = p.tenant and endpoint = p.consumer and through > ${sequence}
      order by through limit 1
    ) g
    where p.tenant = ${tenant} and p.consumer = ${consumer} and p.sequence = ${sequence}
      and g.after < ${sequence} and g.at < ${movedAt}::timestamptz and exists (select from fence)
    on conflict do nothing`);
}

/** They say nothing of what is sent again, and whoever asks for those that do must not pass them all. */
async function removeReceiptsBeyond(orm: OrmTransaction, moved: Moved): Promise<number> {
  const { tenant, consumer, sequence, movedAt } = moved;
  const { count } = await orm.execute(template`
    with fence as materialized (${fence(orm, moved)})
    delete from receipt_ranges where exists (select from fence) and ctid = any(array(
      select ctid from receipt_ranges
      where tenant = ${tenant} and endpoint = ${consumer} and through > ${sequence}
        and at < ${movedAt}::timestamptz
      limit ${stepMaxRows}))`);
  return count;
}

function fence(orm: OrmTransaction, moved: Moved) {
  return orm
    .select({ consumer: positions.consumer })
    .from(positions)
    .where(isMoving(moved))
    .for("share");
}

async function inSteps(step: () => Promise<number>): Promise<void> {
  while ((await step()) === stepMaxRows);
}
