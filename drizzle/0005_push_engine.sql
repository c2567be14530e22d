-- Made by drizzle-kit, with the functions of the push side by hand. Appends wait while the index on
-- subjects is built, since it cannot be built concurrently on a partitioned table.
CREATE TABLE "blocked_subjects" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"key" uuid NOT NULL,
	"subject" text NOT NULL,
	"sequence" bigint NOT NULL,
	"day" date NOT NULL,
	"matched" bigint NOT NULL,
	CONSTRAINT "blocked_subjects_tenant_endpoint_key_pk" PRIMARY KEY("tenant","endpoint","key")
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "trigger" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "url" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "requeued" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "give_up_after_ms" bigint;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "rate_per_second" double precision;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "ordering" text DEFAULT 'parallel' NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "signature" text DEFAULT 'v1' NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "drain_dead_letters" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "in_flight" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "failing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit" text DEFAULT 'closed' NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_probe_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_probes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "outage_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "resumed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "requeued" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "events_subject" ON "events" USING btree ("tenant",hashtextextended("subject", 0),"sequence") WHERE "events"."subject" is not null;--> statement-breakpoint
-- The fences of all that the push side writes: of these endpoints those whose shard is held by the
-- process under the epoch, and whose generation is still the same. Their position rows are locked in
-- one order, so that two processes cannot wait for each other, and their leases for share, so that no
-- other process takes a shard over before the commit. Numbered from 1 as they were given.
create function lock_lanes(
  process uuid, lane_tenants uuid[], lane_endpoints uuid[], lane_shards int[], lane_epochs bigint[],
  lane_generations int[]
) returns int[]
language plpgsql as $$
declare
  held_shards int[];
  held_epochs bigint[];
  taken int[];
begin
  select array_agg(s.shard), array_agg(s.epoch) into held_shards, held_epochs
    from (select shard, epoch from shard_leases
          where owner = process and shard = any(lane_shards) order by shard for share) s;

  select array_agg(p.lane) into taken
    from (
      select l.lane from positions p
        join unnest(lane_tenants, lane_endpoints, lane_shards, lane_epochs, lane_generations)
          with ordinality as l(tenant, endpoint, shard, epoch, generation, lane)
          on p.tenant = l.tenant and p.consumer = l.endpoint and p.generation = l.generation
        join unnest(held_shards, held_epochs) as s(shard, epoch)
          on s.shard = l.shard and s.epoch = l.epoch
      order by p.tenant, p.consumer for update of p
    ) p;
  return taken;
end
$$;
--> statement-breakpoint
-- Takes the place of `record_outcomes` (0002), which processes of the version before still call while
-- they are replaced. It is explained there; `lock_lanes` has its fences, and what it does beyond that:
--
-- * subjects that an endpoint is behind with (`blocked_subjects`) move in the same statement as the
--   outcomes that they rest on and as the position that passes them over;
-- * an outcome says itself whether it settles a retry (`outcome_retried`);
-- * a position also tells how many attempts are under way, and since when nothing but failures came.
create function record_deliveries(
  process uuid,
  lane_tenants uuid[], lane_endpoints uuid[], lane_shards int[], lane_epochs bigint[],
  lane_generations int[], lane_sequences bigint[], lane_days date[], lane_matched bigint[],
  lane_in_flight int[],
  outcome_lanes int[], outcome_kinds text[], outcome_days date[], outcome_sequences bigint[],
  outcome_previous bigint[], outcome_attempts int[], outcome_retried boolean[],
  outcome_requeued boolean[], outcome_first_at bigint[],
  outcome_at bigint[], outcome_queue_ms int[], outcome_latency_ms int[], outcome_codes int[],
  outcome_errors text[], outcome_due_at bigint[],
  detail_outcomes int[], detail_triggers text[], detail_urls text[], detail_classes text[],
  detail_headers text[], detail_bodies text[], detail_truncated boolean[],
  subject_lanes int[], subject_texts text[], subject_sequences bigint[], subject_days date[],
  subject_matched bigint[]
) returns table (endpoint uuid)
-- Whoever holds one of these rows for longer makes this batch come again, and no lease run out.
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
declare
  taken int[] := lock_lanes(process, lane_tenants, lane_endpoints, lane_shards, lane_epochs,
    lane_generations);
begin
  return query
  with lanes as materialized (
    select l.* from unnest(lane_tenants, lane_endpoints, lane_sequences, lane_days, lane_matched,
          lane_in_flight)
        with ordinality as l(tenant, endpoint, sequence, day, matched, in_flight, lane)
      where l.lane = any(taken)
  ), outcomes as materialized (
    select l.tenant, l.endpoint, o.lane, o.kind, o.day, o.sequence, o.previous, o.attempts,
      o.retried, o.requeued,
      to_timestamp(o.first_at / 1000.0) as first_at, to_timestamp(o.at / 1000.0) as at,
      o.queue_ms, o.latency_ms, o.code, o.error, to_timestamp(o.due_at / 1000.0) as due_at, o.outcome
    from unnest(outcome_lanes, outcome_kinds, outcome_days, outcome_sequences, outcome_previous,
        outcome_attempts, outcome_retried, outcome_requeued, outcome_first_at, outcome_at,
        outcome_queue_ms, outcome_latency_ms, outcome_codes, outcome_errors, outcome_due_at)
      with ordinality as o(lane, kind, day, sequence, previous, attempts, retried, requeued,
        first_at, at, queue_ms, latency_ms, code, error, due_at, outcome)
    join lanes l on l.lane = o.lane
  ), settled as (
    insert into deliveries as d (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, requeued)
    select tenant, endpoint, day, sequence, kind, attempts, previous, first_at, at, queue_ms,
      latency_ms, code, error, requeued
    from outcomes
    -- A day that retention has taken has no partition, and nobody asks for it any more.
    where kind <> 'retrying' and day >= (select oldest_day from log_settings)
    on conflict (tenant, endpoint, day, sequence) do update
      set status = excluded.status, attempts = greatest(d.attempts, excluded.attempts),
        last_attempt_at = excluded.last_attempt_at, queue_ms = excluded.queue_ms,
        latency_ms = excluded.latency_ms, status_code = excluded.status_code, error = excluded.error
      -- A settled outcome never goes back. One that comes again, after a position was moved back,
      -- tells of the last time.
      where excluded.status = 'delivered' or d.status = 'skipped'
        or d.status = 'dead' and excluded.status = 'dead' and excluded.last_attempt_at > d.last_attempt_at
  ), postponed as (
    insert into retries as r (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error, requeued)
    select tenant, endpoint, sequence, day, attempts, previous, due_at, first_at, at, code, error,
      requeued
    from outcomes where kind = 'retrying'
    on conflict (tenant, endpoint, sequence) do update
      set attempts = excluded.attempts, due_at = excluded.due_at,
        last_attempt_at = excluded.last_attempt_at, status_code = excluded.status_code,
        error = excluded.error
      where r.attempts < excluded.attempts
  ), finished as (
    delete from retries r using outcomes o
    where o.retried and o.kind <> 'retrying'
      and r.tenant = o.tenant and r.endpoint = o.endpoint and r.sequence = o.sequence
  ), told as (
    insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
      status_code, error_class, error, response_headers, response_body, truncated, trigger, url)
    select o.tenant, o.endpoint, o.day, o.sequence, o.attempts, o.at, o.queue_ms, o.latency_ms,
      o.code, d.class, o.error, d.headers, d.body, d.truncated, d.trigger, d.url
    from unnest(detail_outcomes, detail_triggers, detail_urls, detail_classes, detail_headers,
          detail_bodies, detail_truncated)
        as d(outcome, trigger, url, class, headers, body, truncated)
      join outcomes o on o.outcome = d.outcome
        and o.day >= (select oldest_day from log_settings)
    on conflict do nothing
  ), subjects as materialized (
    select l.tenant, l.endpoint, md5(s.subject)::uuid as key, s.subject, s.sequence, s.day, s.matched
    from unnest(subject_lanes, subject_texts, subject_sequences, subject_days, subject_matched)
        as s(lane, subject, sequence, day, matched)
      join lanes l on l.lane = s.lane
  ), blocked as (
    insert into blocked_subjects as b (tenant, endpoint, key, subject, sequence, day, matched)
    select tenant, endpoint, key, subject, sequence, day, matched from subjects
    where sequence is not null
    on conflict (tenant, endpoint, key) do update
      set sequence = excluded.sequence, day = excluded.day, matched = excluded.matched
      where b.sequence < excluded.sequence
  ), merged as (
    delete from blocked_subjects b using subjects s
    where s.sequence is null
      and b.tenant = s.tenant and b.endpoint = s.endpoint and b.key = s.key
  ), summary as (
    select lane,
      max(at) filter (where kind = 'delivered') as success_at,
      max(at) filter (where kind <> 'delivered') as failure_at,
      min(at) filter (where kind in ('retrying', 'dead')) as failing_since,
      (array_agg(error order by at desc) filter (where kind <> 'delivered'))[1] as failure
    from outcomes group by lane
  ), moved as (
    update positions p
      set sequence = greatest(p.sequence, l.sequence),
        day = greatest(p.day, l.day),
        last_matched = greatest(p.last_matched, l.matched),
        in_flight = l.in_flight,
        last_success_at = coalesce(s.success_at, p.last_success_at),
        last_failure_at = coalesce(s.failure_at, p.last_failure_at),
        last_failure = coalesce(s.failure, p.last_failure),
        failing_since = case when s.success_at is not null then null
                             else coalesce(p.failing_since, s.failing_since) end
    from lanes l left join summary s on s.lane = l.lane
    where p.tenant = l.tenant and p.consumer = l.endpoint
  )
  select l.endpoint from lanes l;
end
$$;
--> statement-breakpoint
-- Keeps the state of circuits, of any number of endpoints, under the fences of `record_deliveries`.
-- A failed probe is told here and nowhere else: it is no attempt of its event.
create function record_circuits(
  process uuid,
  lane_tenants uuid[], lane_endpoints uuid[], lane_shards int[], lane_epochs bigint[],
  lane_generations int[], new_states text[], new_since bigint[], new_probe_at bigint[],
  new_probes int[], new_outage_since bigint[], new_failure_at bigint[], new_failures text[]
) returns table (endpoint uuid)
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
declare
  taken int[] := lock_lanes(process, lane_tenants, lane_endpoints, lane_shards, lane_epochs,
    lane_generations);
begin
  return query
  update positions p
    set circuit = c.state,
      circuit_since = to_timestamp(c.since / 1000.0),
      circuit_probe_at = to_timestamp(c.probe_at / 1000.0),
      circuit_probes = c.probes,
      outage_since = to_timestamp(c.outage_since / 1000.0),
      last_failure_at = coalesce(to_timestamp(c.failure_at / 1000.0), p.last_failure_at),
      last_failure = coalesce(c.failure, p.last_failure)
  from unnest(lane_tenants, lane_endpoints, new_states, new_since, new_probe_at, new_probes,
      new_outage_since, new_failure_at, new_failures)
    with ordinality as c(tenant, endpoint, state, since, probe_at, probes, outage_since, failure_at,
      failure, lane)
  where c.lane = any(taken) and p.tenant = c.tenant and p.consumer = c.endpoint
  returning p.consumer;
end
$$;
--> statement-breakpoint
-- Gives dead letters of an outage one further attempt: those whose last attempt came after the outage
-- began and failed of it. They move from the settled deliveries to the retries, so each is counted
-- once. Under the fences of `record_deliveries`, whose locks nobody waits for long: it goes on after
-- the given event, looks at so many that failed, moves `most` of them, and returns where it stopped
-- (null at the end).
create function requeue_dead_letters(
  process uuid, its_tenant uuid, its_endpoint uuid, its_shard int, its_epoch bigint,
  its_generation int, outage_began timestamptz, after_day date, after_sequence bigint,
  most int, looks int
) returns table (moved int, last_day text, last_sequence bigint)
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
begin
  if lock_lanes(process, array[its_tenant], array[its_endpoint], array[its_shard], array[its_epoch],
       array[its_generation]) is null then
    return query select 0, null::text, null::bigint;
    return;
  end if;

  return query
  with looked as materialized (
    select d.day, d.sequence, d.status, d.requeued, d.last_attempt_at, d.status_code, d.error
    from deliveries d
    where d.tenant = its_tenant and d.endpoint = its_endpoint and d.day >= after_day
      and (d.day, d.sequence) > (after_day, after_sequence) and d.status <> 'delivered'
    order by d.day, d.sequence limit looks
  ), dead as materialized (
    select day, sequence from looked
    where status = 'dead' and not requeued and last_attempt_at >= outage_began
      and (status_code >= 500 or error ~ '^(timeout|connect|reset|dns|tls):')
      -- Whoever sets a time to give up wants no late deliveries.
      and error not like '%(given up%'
    order by day, sequence limit most
  ), gone as (
    delete from deliveries d using dead
    where d.tenant = its_tenant and d.endpoint = its_endpoint
      and d.day = dead.day and d.sequence = dead.sequence
    returning d.*
  ), back as (
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error, requeued)
    select tenant, endpoint, sequence, day, attempts, previous, clock_timestamp(),
      first_attempt_at, last_attempt_at, status_code, error, true
    from gone
    on conflict do nothing
  ), counts as (
    select (select count(*) from dead)::int as moved, (select count(*) from looked)::int as looked
  ), stop as (
    select day, sequence from dead where (select moved from counts) = most
    union all
    select day, sequence from looked
    where (select c.moved < most and c.looked = looks from counts c)
  )
  select c.moved, s.day::text, s.sequence
  from counts c left join (select * from stop order by day desc, sequence desc limit 1) s on true;
end
$$;
