-- Custom SQL migration file: what the push side calls for replay jobs.
--
-- Records attempts of one replay job, and how far it has come, under the fences of
-- `record_deliveries` (0005). What it promises:
--
-- * Counts go with the job's position, by values and not by steps, and only from where their writer
--   believes the job to be. So a statement that is sent twice counts once, and a writer that does not
--   know what another has written changes nothing of them. What came of the attempts is told all the
--   same: they were made.
-- * A delivery never goes back. What was accepted or settled stays so whatever a replay says; a dead
--   letter that is accepted is delivered; what never was delivered and fails is a dead letter, unless a
--   receipt has settled all up to beyond it meanwhile.
-- * A retry that a replay delivers is gone. One that it does not deliver keeps its time.
-- * An attempt has a number of its own, whatever came in between. The first attempt of a delivery that
--   succeeded at once is told by its row alone, which now tells of a later one, so it is written down.
--
-- Returns where the job stands then; nothing when the fences do not hold.
create function record_replay(
  process uuid, its_tenant uuid, its_endpoint uuid, its_shard int, its_epoch bigint,
  its_generation int, job uuid,
  known_sequence bigint, known_sent bigint, known_failed bigint,
  new_sequence bigint, new_day date, new_sent bigint, new_failed bigint, is_done boolean,
  outcome_delivered boolean[], outcome_days date[], outcome_sequences bigint[],
  outcome_previous bigint[], outcome_attempts int[], outcome_at bigint[], outcome_queue_ms int[],
  outcome_latency_ms int[], outcome_codes int[], outcome_errors text[], outcome_urls text[],
  outcome_classes text[], outcome_headers text[], outcome_bodies text[], outcome_truncated boolean[]
) returns table (status text, sequence bigint, day text, sent bigint, failed bigint)
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
declare
  since timestamptz;
  confirmed bigint;
begin
  if lock_lanes(process, array[its_tenant], array[its_endpoint], array[its_shard], array[its_epoch],
       array[its_generation]) is null then
    return;
  end if;
  -- Receipts of before a position was moved back say nothing about what is pushed since.
  select coalesce(p.resumed_at, '-infinity') into since from positions p
    where p.tenant = its_tenant and p.consumer = its_endpoint;
  confirmed := coalesce((
    select g.through from receipt_ranges g
    where g.tenant = its_tenant and g.endpoint = its_endpoint and g.at >= since
      and g.through >= (select min(s) from unnest(outcome_sequences) s)
    order by g.through desc limit 1), 0);

  -- What is known of each is looked up one by one, by the primary keys, whatever the planner knows of
  -- the partitions.
  with outcomes as materialized (
    select o.*, to_timestamp(o.at_ms / 1000.0) as at,
      d.status as was, d.attempts as was_attempts, d.last_attempt_at as was_at,
      d.queue_ms as was_queue_ms, d.latency_ms as was_latency_ms, d.status_code as was_code,
      r.first_attempt_at as retry_first_at, r.sequence is not null as retrying,
      coalesce(r.awaiting, false) as awaiting,
      -- A late attempt of what a receipt had settled is told, and changes nothing else.
      greatest(d.attempts, r.attempts, (
        select a.attempt from attempts a
        where a.tenant = its_tenant and a.endpoint = its_endpoint and a.day = o.day
          and a.sequence = o.sequence
        order by a.attempt desc limit 1
      ), 0)::int as made,
      o.sequence <= confirmed as covered,
      exists (
        select from attempts a
        where a.tenant = its_tenant and a.endpoint = its_endpoint and a.day = o.day
          and a.sequence = o.sequence and a.replay = job and a.at = to_timestamp(o.at_ms / 1000.0)
      ) as told
    from unnest(outcome_delivered, outcome_days, outcome_sequences, outcome_previous,
        outcome_attempts, outcome_at, outcome_queue_ms, outcome_latency_ms, outcome_codes,
        outcome_errors, outcome_urls, outcome_classes, outcome_headers, outcome_bodies,
        outcome_truncated)
      as o(delivered, day, sequence, previous, attempt, at_ms, queue_ms, latency_ms, code, error, url,
        class, headers, body, truncated)
    left join lateral (
      select * from deliveries
      where tenant = its_tenant and endpoint = its_endpoint and day = o.day and sequence = o.sequence
      limit 1
    ) d on true
    left join lateral (
      select * from retries
      where tenant = its_tenant and endpoint = its_endpoint and sequence = o.sequence limit 1
    ) r on true
    -- A day that retention has taken has no partition, and nobody asks for it any more.
    where o.day >= (select oldest_day from log_settings)
  ), numbered as materialized (
    select *, case when told then made else least(greatest(attempt, made + 1), 32767) end as number
    from outcomes
  ), first_told as (
    insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
      status_code, truncated)
    select its_tenant, its_endpoint, day, sequence, was_attempts, was_at, was_queue_ms,
      was_latency_ms, was_code, false
    from numbered where was = 'delivered' and was_attempts = 1 and not told
    on conflict do nothing
  ), settled as (
    insert into deliveries as d (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error)
    select its_tenant, its_endpoint, day, sequence,
      case when delivered then 'delivered' else 'dead' end, number, previous,
      coalesce(retry_first_at, at), at, queue_ms, latency_ms, code, error
    from numbered
    where case when delivered then not awaiting
      else not retrying and not (covered and coalesce(was, 'dead') = 'dead') end
    on conflict (tenant, endpoint, day, sequence) do update
      set status = case when d.status in ('delivered', 'settled') then d.status
                        else excluded.status end,
        attempts = greatest(d.attempts, excluded.attempts),
        previous = coalesce(d.previous, excluded.previous),
        first_attempt_at = case when d.attempts = 0 then excluded.first_attempt_at
                                else d.first_attempt_at end,
        -- Of an attempt that changes nothing only the log tells.
        last_attempt_at = case when d.status in ('delivered', 'settled') and excluded.status = 'dead'
          then d.last_attempt_at else excluded.last_attempt_at end,
        queue_ms = case when d.status in ('delivered', 'settled') and excluded.status = 'dead'
          then d.queue_ms else excluded.queue_ms end,
        latency_ms = case when d.status in ('delivered', 'settled') and excluded.status = 'dead'
          then d.latency_ms else excluded.latency_ms end,
        status_code = case when d.status in ('delivered', 'settled') and excluded.status = 'dead'
          then d.status_code else excluded.status_code end,
        error = case when d.status in ('delivered', 'settled') and excluded.status = 'dead'
          then d.error else excluded.error end
  ), finished as (
    delete from retries r using numbered n
    where n.delivered and n.retrying and not n.awaiting
      and r.tenant = its_tenant and r.endpoint = its_endpoint and r.sequence = n.sequence
  ), postponed as (
    update retries r
      set attempts = greatest(r.attempts, n.number), last_attempt_at = n.at,
        status_code = case when r.awaiting then r.status_code else n.code end,
        error = case when r.awaiting then r.error else n.error end
    from numbered n
    where n.retrying and (n.awaiting or not n.delivered)
      and r.tenant = its_tenant and r.endpoint = its_endpoint and r.sequence = n.sequence
  ), written as (
    insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
      status_code, error_class, error, response_headers, response_body, truncated, trigger, url,
      replay)
    select its_tenant, its_endpoint, day, sequence, number, at, queue_ms, latency_ms, code, class,
      error, headers, body, truncated, 'replay', url, job
    from numbered where not told
    on conflict do nothing
  ), summary as (
    select max(at) filter (where delivered) as success_at,
      max(at) filter (where not delivered) as failure_at,
      min(at) filter (where not delivered) as failing_since,
      (array_agg(error order by at desc) filter (where not delivered))[1] as failure
    from numbered
  )
  update positions p
    set last_success_at = coalesce(s.success_at, p.last_success_at),
      last_failure_at = coalesce(s.failure_at, p.last_failure_at),
      last_failure = coalesce(s.failure, p.last_failure),
      failing_since = case when s.success_at is not null then null
                           else coalesce(p.failing_since, s.failing_since) end
  from summary s
  where p.tenant = its_tenant and p.consumer = its_endpoint
    and coalesce(s.success_at, s.failure_at) is not null;

  update replays
    set sequence = new_sequence, day = new_day, sent = new_sent, failed = new_failed,
      total = case when is_done then new_sent + new_failed else total end,
      finished_at = case when is_done and status = 'running' then clock_timestamp()
                         else finished_at end,
      status = case when is_done and status = 'running' then 'completed' else status end
    where tenant = its_tenant and id = job
      and sequence = known_sequence and sent = known_sent and failed = known_failed;

  return query
    select r.status, r.sequence, r.day::text, r.sent, r.failed from replays r
    where r.tenant = its_tenant and r.id = job;
end
$$;
