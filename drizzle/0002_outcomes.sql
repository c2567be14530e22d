-- Records what became of deliveries, of any number of endpoints, in one statement: the outcomes and
-- the positions that rest on them become visible together or not at all.
--
-- Fences. The lease rows are locked `for share`, so no other process can take a shard over between
-- the check and the commit. An endpoint whose shard is held under another epoch, or whose
-- generation is another, is left out: whoever wrote it is late. The endpoints that were taken are
-- returned.
--
-- Position rows are locked in one order, so that two processes cannot wait for each other.
create function record_outcomes(
  process uuid,
  lane_tenants uuid[], lane_endpoints uuid[], lane_shards int[], lane_epochs bigint[],
  lane_generations int[], lane_sequences bigint[], lane_days date[], lane_matched bigint[],
  outcome_lanes int[], outcome_kinds text[], outcome_days date[], outcome_sequences bigint[],
  outcome_previous bigint[], outcome_attempts int[], outcome_first_at bigint[],
  outcome_at bigint[], outcome_queue_ms int[], outcome_latency_ms int[], outcome_codes int[],
  outcome_errors text[], outcome_due_at bigint[],
  detail_outcomes int[], detail_classes text[], detail_headers text[], detail_bodies text[],
  detail_truncated boolean[]
) returns table (endpoint uuid)
-- Whoever holds one of these rows for longer makes this batch come again, and no lease run out.
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
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

  return query
  with lanes as materialized (
    select l.* from unnest(lane_tenants, lane_endpoints, lane_sequences, lane_days, lane_matched)
        with ordinality as l(tenant, endpoint, sequence, day, matched, lane)
      where l.lane = any(taken)
  ), outcomes as materialized (
    select l.tenant, l.endpoint, o.lane, o.kind, o.day, o.sequence, o.previous, o.attempts,
      to_timestamp(o.first_at / 1000.0) as first_at, to_timestamp(o.at / 1000.0) as at,
      o.queue_ms, o.latency_ms, o.code, o.error, to_timestamp(o.due_at / 1000.0) as due_at, o.outcome
    from unnest(outcome_lanes, outcome_kinds, outcome_days, outcome_sequences, outcome_previous,
        outcome_attempts, outcome_first_at, outcome_at, outcome_queue_ms, outcome_latency_ms,
        outcome_codes, outcome_errors, outcome_due_at)
      with ordinality as o(lane, kind, day, sequence, previous, attempts, first_at, at, queue_ms,
        latency_ms, code, error, due_at, outcome)
    join lanes l on l.lane = o.lane
  ), settled as (
    insert into deliveries as d (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error)
    select tenant, endpoint, day, sequence, kind, attempts, previous, first_at, at, queue_ms,
      latency_ms, code, error
    from outcomes
    -- A day that retention has taken has no partition, and nobody asks for it any more.
    where kind <> 'retrying' and day >= (select oldest_day from log_settings)
    on conflict (tenant, endpoint, day, sequence) do update
      set status = excluded.status, attempts = excluded.attempts,
        last_attempt_at = excluded.last_attempt_at, queue_ms = excluded.queue_ms,
        latency_ms = excluded.latency_ms, status_code = excluded.status_code, error = excluded.error
      -- A settled outcome never goes back.
      where d.status <> 'delivered' and excluded.status = 'delivered'
  ), postponed as (
    insert into retries as r (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error)
    select tenant, endpoint, sequence, day, attempts, previous, due_at, first_at, at, code, error
    from outcomes where kind = 'retrying'
    on conflict (tenant, endpoint, sequence) do update
      set attempts = excluded.attempts, due_at = excluded.due_at,
        last_attempt_at = excluded.last_attempt_at, status_code = excluded.status_code,
        error = excluded.error
      where r.attempts < excluded.attempts
  ), finished as (
    delete from retries r using outcomes o
    -- Only a first attempt cannot have left a retry behind.
    where (o.kind = 'expired' or o.kind <> 'retrying' and o.attempts > 1)
      and r.tenant = o.tenant and r.endpoint = o.endpoint and r.sequence = o.sequence
  ), told as (
    insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
      status_code, error_class, error, response_headers, response_body, truncated)
    select o.tenant, o.endpoint, o.day, o.sequence, o.attempts, o.at, o.queue_ms, o.latency_ms,
      o.code, d.class, o.error, d.headers, d.body, d.truncated
    from unnest(detail_outcomes, detail_classes, detail_headers, detail_bodies, detail_truncated)
        as d(outcome, class, headers, body, truncated)
      join outcomes o on o.outcome = d.outcome
        and o.day >= (select oldest_day from log_settings)
    on conflict do nothing
  ), summary as (
    select lane,
      max(at) filter (where kind = 'delivered') as success_at,
      max(at) filter (where kind <> 'delivered') as failure_at,
      (array_agg(error order by at desc) filter (where kind <> 'delivered'))[1] as failure
    from outcomes group by lane
  ), moved as (
    update positions p
      set sequence = greatest(p.sequence, l.sequence),
        day = greatest(p.day, l.day),
        last_matched = greatest(p.last_matched, l.matched),
        last_success_at = coalesce(s.success_at, p.last_success_at),
        last_failure_at = coalesce(s.failure_at, p.last_failure_at),
        last_failure = coalesce(s.failure, p.last_failure)
    from lanes l left join summary s on s.lane = l.lane
    where p.tenant = l.tenant and p.consumer = l.endpoint
  )
  select l.endpoint from lanes l;
end
$$;
