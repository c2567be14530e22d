-- Receipts: what consumers say of events beside what their receivers answer. Each function locks the
-- endpoint's position first, as `lock_lanes` (0005) does, so a receipt and the outcome of a push for the
-- same event come one after the other, and the second knows of the first.
--
-- Takes the place of `record_deliveries` (0005), which explains the rest. What it does beyond that:
--
-- * An outcome of what a receipt has settled meanwhile changes no status: it is told by `attempts`, and
--   there is no retry. A push that was accepted, and began before a receipt came that says it failed, is
--   tried again all the same. The process's clock may be ahead of the database's: when it began is told
--   by its age as well, which begins to count from `sent_at`, the process's time of this call.
-- * What is tried again so is the next of its subject, where subjects are kept in order: the subject is
--   held before it, whatever its lane says.
-- * An accepted push of an endpoint that requires receipts waits in `retries` until one comes.
-- * An attempt for which none came is told by `outcome_missed`.
-- * It tells for each lane which outcomes receipts have overruled, which of these are to be tried again
--   although they were accepted (`revived`), and the number of receipts that its endpoint has had, by
--   which a lane finds out that what it holds is out of date.
create function record_results(
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
  subject_matched bigint[],
  outcome_missed text[], outcome_missed_attempts int[], sent_at bigint
) returns table (endpoint uuid, receipts int, overruled bigint[], revived bigint[])
-- Whoever holds one of these rows for longer makes this batch come again, and no lease run out.
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
declare
  taken int[] := lock_lanes(process, lane_tenants, lane_endpoints, lane_shards, lane_epochs,
    lane_generations);
  settled_ones int[] := '{}';
  failed_ones int[] := '{}';
  miss record;
begin
  -- Most endpoints never have a receipt, and their outcomes need not look.
  if exists (
    select from unnest(lane_tenants, lane_endpoints) with ordinality as l(tenant, endpoint, lane)
      join positions p on p.tenant = l.tenant and p.consumer = l.endpoint
    where l.lane = any(taken) and p.receipts > 0
  ) then
    -- Those that count cover all up to the furthest of them. It is looked for once for each lane: of
    -- before a position was moved there may be any number, which say nothing.
    with lows as (
      select o.lane, min(o.sequence) as sequence
      from unnest(outcome_lanes, outcome_sequences) as o(lane, sequence) group by o.lane
    ), heard as materialized (
      select l.lane, l.tenant, l.endpoint, p.resumed_at, coalesce((
          select g.through from receipt_ranges g
          where g.tenant = l.tenant and g.endpoint = l.endpoint and g.through >= lows.sequence
            and g.at >= coalesce(p.resumed_at, '-infinity')
          order by g.through desc limit 1
        ), 0) as confirmed
      from unnest(lane_tenants, lane_endpoints) with ordinality as l(tenant, endpoint, lane)
        join lows on lows.lane = l.lane
        join positions p on p.tenant = l.tenant and p.consumer = l.endpoint and p.receipts > 0
      where l.lane = any(taken)
    )
    select coalesce(array_agg(j.outcome) filter (where j.settled), '{}'),
        coalesce(array_agg(j.outcome) filter (where j.failed and not j.settled), '{}')
      into settled_ones, failed_ones
    from (
      select o.outcome,
        -- Scalar, so that each is one descent of an index, whatever the planner knows.
        coalesce((
          select d.receipt_status = 'processed' and d.status in ('delivered', 'settled')
            and d.receipt_at >= coalesce(h.resumed_at, '-infinity')
          from deliveries d where d.tenant = h.tenant and d.endpoint = h.endpoint
            and d.day = o.day and d.sequence = o.sequence
        ), false) or o.sequence <= h.confirmed as settled,
        o.kind in ('delivered', 'awaiting_receipt') and (exists (
          select from retries r where r.tenant = h.tenant and r.endpoint = h.endpoint
            and r.sequence = o.sequence and r.attempts < o.attempts and r.receipt_status = 'failed'
            and r.receipt_at >= b.at
        ) or not o.retried and coalesce((
          select a.at >= b.at from attempts a where a.tenant = h.tenant and a.endpoint = h.endpoint
            and a.day = o.day and a.sequence = o.sequence and a.attempt = 0
        ), false)) as failed
      from unnest(outcome_lanes, outcome_kinds, outcome_days, outcome_sequences, outcome_attempts,
            outcome_retried, outcome_at)
          with ordinality as o(lane, kind, day, sequence, attempts, retried, at, outcome)
        join heard h on h.lane = o.lane
        -- Not later than by either clock. Without `sent_at` there is but one.
        cross join lateral (select least(to_timestamp(o.at / 1000.0),
          statement_timestamp() - interval '1 millisecond' * (sent_at - o.at)) as at) b
    ) j;
  end if;

  -- Of an attempt that was accepted, and for which no receipt came: few, and one partition each.
  for miss in
    select l.tenant, l.endpoint, o.day, o.sequence, o.attempt, o.error
    from unnest(outcome_lanes, outcome_days, outcome_sequences, outcome_missed,
          outcome_missed_attempts) as o(lane, day, sequence, error, attempt)
      join unnest(lane_tenants, lane_endpoints) with ordinality as l(tenant, endpoint, lane)
        on l.lane = o.lane and l.lane = any(taken)
    where o.error is not null
  loop
    update attempts a set error_class = 'receipt', error = miss.error
      where a.tenant = miss.tenant and a.endpoint = miss.endpoint and a.day = miss.day
        and a.sequence = miss.sequence and a.attempt = miss.attempt and a.error is null;
  end loop;

  return query
  with lanes as materialized (
    select l.*, p.receipts from unnest(lane_tenants, lane_endpoints, lane_sequences, lane_days,
          lane_matched, lane_in_flight)
        with ordinality as l(tenant, endpoint, sequence, day, matched, in_flight, lane)
      join positions p on p.tenant = l.tenant and p.consumer = l.endpoint
      where l.lane = any(taken)
  ), outcomes as materialized (
    select l.tenant, l.endpoint, l.receipts, o.lane, o.kind, o.day, o.sequence, o.previous,
      o.attempts, o.retried, o.requeued,
      to_timestamp(o.first_at / 1000.0) as first_at, to_timestamp(o.at / 1000.0) as at,
      o.queue_ms, o.latency_ms, o.code, o.error, o.missed,
      to_timestamp(o.due_at / 1000.0) as due_at, o.outcome,
      o.outcome = any(settled_ones) as closed, o.outcome = any(failed_ones) as failed,
      g.detail as receipt_detail, g.at as receipt_at,
      n.at as noted_at, n.error as noted_detail, n.latency_ms as noted_delay_ms
    from unnest(outcome_lanes, outcome_kinds, outcome_days, outcome_sequences, outcome_previous,
        outcome_attempts, outcome_retried, outcome_requeued, outcome_first_at, outcome_at,
        outcome_queue_ms, outcome_latency_ms, outcome_codes, outcome_errors, outcome_due_at,
        outcome_missed)
      with ordinality as o(lane, kind, day, sequence, previous, attempts, retried, requeued,
        first_at, at, queue_ms, latency_ms, code, error, due_at, missed, outcome)
    join lanes l on l.lane = o.lane
    left join lateral (
      select g.detail, g.at, g.after from receipt_ranges g
      where o.outcome = any(settled_ones) and g.tenant = l.tenant and g.endpoint = l.endpoint
        and g.through >= o.sequence
      order by g.through limit 1
    ) g on g.after < o.sequence
    left join lateral (
      select a.at, a.error, a.latency_ms from attempts a
      where o.outcome = any(failed_ones) and not o.retried and a.tenant = l.tenant
        and a.endpoint = l.endpoint and a.day = o.day and a.sequence = o.sequence and a.attempt = 0
      limit 1
    ) n on true
  ), settled as (
    insert into deliveries as d (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, requeued,
      receipt_status, receipt_detail, receipt_at)
    select tenant, endpoint, day, sequence,
      case when not closed then kind
        when kind in ('delivered', 'awaiting_receipt') then 'delivered' else 'settled' end,
      attempts, previous, first_at, at, queue_ms, latency_ms, code, error, requeued,
      case when closed then 'processed' end, receipt_detail,
      case when closed then coalesce(receipt_at, clock_timestamp()) end
    from outcomes
    where (closed or kind not in ('retrying', 'awaiting_receipt')) and not failed
      -- A day that retention has taken has no partition, and nobody asks for it any more.
      and day >= (select oldest_day from log_settings)
    on conflict (tenant, endpoint, day, sequence) do update
      set status = case when excluded.receipt_status is null then excluded.status
          when d.status = 'delivered' then 'delivered'
          when d.receipt_status = 'processed' then 'settled' else excluded.status end,
        attempts = greatest(d.attempts, excluded.attempts),
        previous = coalesce(d.previous, excluded.previous),
        first_attempt_at = case when d.attempts = 0 then excluded.first_attempt_at
          else d.first_attempt_at end,
        last_attempt_at = excluded.last_attempt_at, queue_ms = excluded.queue_ms,
        latency_ms = excluded.latency_ms, status_code = excluded.status_code,
        error = excluded.error,
        receipt_status = coalesce(excluded.receipt_status, d.receipt_status),
        receipt_detail = case when d.receipt_status = 'processed' or excluded.receipt_status is null
          then d.receipt_detail else excluded.receipt_detail end,
        receipt_at = case when d.receipt_status = 'processed' or excluded.receipt_status is null
          then d.receipt_at else excluded.receipt_at end
      -- A settled outcome never goes back: what a receipt has settled only tells of the attempt. One
      -- that comes again, after a position was moved back, tells of the last time.
      where excluded.receipt_status is not null
        or excluded.status = 'delivered' or d.status = 'skipped'
        or d.status = 'dead' and excluded.status = 'dead' and excluded.last_attempt_at > d.last_attempt_at
  ), postponed as (
    insert into retries as r (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error, requeued, awaiting)
    select tenant, endpoint, sequence, day, attempts, previous, due_at, first_at, at, code,
      coalesce(error, missed), requeued, kind = 'awaiting_receipt'
    from outcomes where kind in ('retrying', 'awaiting_receipt') and not closed and not failed
    on conflict (tenant, endpoint, sequence) do update
      set attempts = excluded.attempts, previous = coalesce(r.previous, excluded.previous),
        due_at = excluded.due_at, last_attempt_at = excluded.last_attempt_at,
        status_code = excluded.status_code, error = excluded.error, awaiting = excluded.awaiting
      where r.attempts < excluded.attempts
  ), refused as (
    update retries r
      set attempts = o.attempts, previous = coalesce(r.previous, o.previous), awaiting = false,
        last_attempt_at = o.at, status_code = o.code,
        error = 'receipt: ' || coalesce(r.receipt_detail, 'failed')
    from outcomes o
    where o.failed
      and r.tenant = o.tenant and r.endpoint = o.endpoint and r.sequence = o.sequence
  ), renewed as (
    -- What a receipt was noted for is no retry yet.
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error, requeued, receipt_status,
      receipt_detail, receipt_at)
    select tenant, endpoint, sequence, day, attempts, previous,
      noted_at + interval '1 millisecond' * noted_delay_ms, first_at, at, code,
      'receipt: ' || coalesce(noted_detail, 'failed'), requeued, 'failed', noted_detail, noted_at
    from outcomes where failed and noted_at is not null
    on conflict do nothing
  ), finished as (
    delete from retries r using outcomes o
    -- A receipt may have made a retry of what was on its way for the first time.
    where (o.retried or o.receipts > 0) and not o.failed
      and (o.closed or o.kind not in ('retrying', 'awaiting_receipt'))
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
  ), held as materialized (
    select distinct on (o.tenant, o.endpoint, e.subject) o.tenant, o.endpoint,
      md5(e.subject)::uuid as key, e.subject, o.sequence - 1 as sequence, o.day,
      coalesce(o.previous, 0) as matched,
      -- A retry that is the next of its subject has its place already, and any other keeps no order.
      p.ordering = 'subject' and not o.retried as placed
    from outcomes o
      join endpoints p on p.tenant = o.tenant and p.id = o.endpoint
      cross join lateral (
        select v.subject from events v
        where v.tenant = o.tenant and v.day = o.day and v.sequence = o.sequence limit 1
      ) e
    where o.failed and e.subject is not null
    order by o.tenant, o.endpoint, e.subject, o.sequence
  ), subjects as materialized (
    select l.tenant, l.endpoint, md5(s.subject)::uuid as key, s.subject, s.sequence, s.day, s.matched
    from unnest(subject_lanes, subject_texts, subject_sequences, subject_days, subject_matched)
        as s(lane, subject, sequence, day, matched)
      join lanes l on l.lane = s.lane
    where not exists (select from held h where h.tenant = l.tenant and h.endpoint = l.endpoint
      and h.subject = s.subject and (h.placed or s.sequence is null or s.sequence > h.sequence))
    union all
    select tenant, endpoint, key, subject, sequence, day, matched from held where placed
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
      max(at) filter (where kind in ('delivered', 'awaiting_receipt')) as success_at,
      max(at) filter (where kind not in ('delivered', 'awaiting_receipt')) as failure_at,
      min(at) filter (where kind in ('retrying', 'dead')) as failing_since,
      (array_agg(error order by at desc)
        filter (where kind not in ('delivered', 'awaiting_receipt')))[1] as failure
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
  select l.endpoint, l.receipts,
    coalesce((select array_agg(o.sequence) from outcomes o
      where o.lane = l.lane and (o.closed or o.failed)), '{}'),
    coalesce((select array_agg(o.sequence) from outcomes o
      where o.lane = l.lane and o.failed), '{}')
  from lanes l;
end
$$;
--> statement-breakpoint
-- For processes of the version before while they are replaced: they respect receipts without knowing.
create or replace function record_deliveries(
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
language sql set lock_timeout = '500ms' as $$
  select r.endpoint from record_results(
    process, lane_tenants, lane_endpoints, lane_shards, lane_epochs, lane_generations,
    lane_sequences, lane_days, lane_matched, lane_in_flight, outcome_lanes, outcome_kinds,
    outcome_days, outcome_sequences, outcome_previous, outcome_attempts, outcome_retried,
    outcome_requeued, outcome_first_at, outcome_at, outcome_queue_ms, outcome_latency_ms,
    outcome_codes, outcome_errors, outcome_due_at, detail_outcomes, detail_triggers,
    detail_urls, detail_classes, detail_headers, detail_bodies, detail_truncated,
    subject_lanes, subject_texts, subject_sequences, subject_days, subject_matched, '{}',
    '{}', null
  ) r
$$;
--> statement-breakpoint
-- A consumer's word for events by their ids: `processed` or `failed`. What becomes of each:
--
-- * processed: its retry ends; it is `delivered` if a push of it was accepted, else `settled`.
-- * failed: what was delivered, or waits for its receipt, is tried again by the schedule, or is dead when
--   that is over. What is tried again anyway goes on. What was not pushed yet becomes a retry; where the
--   order is kept it is `waiting`, since its turn comes. Its first push may be under way: so the receipt
--   is noted among its attempts, as number 0, with its delay as the time that it took, where it makes a
--   retry of that push (`record_results`) and keeps nothing else from being sent. What was processed, or
--   is dead, stays.
--
-- `unmatched` is not for the endpoint. All of it can be repeated. `event_delays` has for each event, one
-- after the other, the delays after its first attempt, its second and so on. Tells for each whether the
-- lane has to hear of it, and the number of receipts if it has to of any.
create function record_receipts(
  its_tenant uuid, its_endpoint uuid, new_status text, new_detail text, event_days date[],
  event_sequences bigint[], event_matches boolean[], keeps_order boolean, delays_each int,
  event_delays bigint[]
) returns table (sequence bigint, outcome text, touched boolean, receipts int)
language plpgsql set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
  place positions%rowtype;
  since timestamptz;
  told_at timestamptz;
  told_sequences bigint[];
  told_outcomes text[];
  told_touched boolean[];
  confirmed bigint;
  version int;
  revived record;
begin
  select * into place from positions p
    where p.tenant = its_tenant and p.consumer = its_endpoint for update;
  if not found then return; end if;
  since := coalesce(place.resumed_at, '-infinity');
  told_at := clock_timestamp();
  confirmed := coalesce((
    select g.through from receipt_ranges g
    where g.tenant = its_tenant and g.endpoint = its_endpoint and g.at >= since
      and g.through >= (select min(s) from unnest(event_sequences) s)
    order by g.through desc limit 1), 0);

  with given as materialized (
    select g.n, g.day, g.sequence, g.matches,
      d.status as d_status, d.attempts as d_attempts, d.previous as d_previous,
      d.first_attempt_at as d_first_at, d.last_attempt_at as d_last_at, d.queue_ms, d.latency_ms,
      d.status_code as d_code, d.error as d_error, d.requeued as d_requeued,
      d.receipt_status = 'processed'
        and (d.receipt_at >= since or g.sequence <= place.sequence) as d_processed,
      r.sequence is not null as has_retry, r.awaiting, r.attempts as r_attempts,
      r.previous as r_previous, r.first_attempt_at as r_first_at, r.last_attempt_at as r_last_at,
      r.status_code as r_code, r.error as r_error, r.requeued as r_requeued,
      g.sequence <= confirmed as covered
    from unnest(event_days, event_sequences, event_matches)
        with ordinality as g(day, sequence, matches, n)
      -- With a limit, each is one descent of an index, whatever the planner knows.
      left join lateral (
        select * from deliveries d where d.tenant = its_tenant and d.endpoint = its_endpoint
          and d.day = g.day and d.sequence = g.sequence
          -- Behind a position that was moved back it comes anew, as if it had never been pushed.
          and (new_status <> 'failed' or g.sequence <= place.sequence or greatest(d.last_attempt_at,
            case d.receipt_status when 'processed' then d.receipt_at end) >= since)
        limit 1
      ) d on true
      left join lateral (
        select * from retries r where r.tenant = its_tenant and r.endpoint = its_endpoint
          and r.sequence = g.sequence limit 1
      ) r on true
  ), judged as materialized (
    select g.*, coalesce(greatest(g.d_attempts, g.r_attempts), 0) as attempts,
      case
        when d_processed and not has_retry then 'unchanged'
        when covered and (new_status = 'failed' or d_status is null and not has_retry)
          then 'unchanged'
        when d_status is null and not has_retry and not matches then 'unmatched'
        when new_status = 'processed' then 'settled'
        when has_retry and not awaiting then 'noted'
        when not has_retry and d_status <> 'delivered' then 'unchanged'
        when not has_retry and d_status is null and keeps_order then 'waiting'
        when coalesce(greatest(g.d_attempts, g.r_attempts), 0) > delays_each
          and coalesce(greatest(g.d_attempts, g.r_attempts), 0) > 0 then 'dead'
        else 'retrying'
      end as verdict
    from given g
  ), gone as (
    delete from retries r using judged j
    where j.verdict in ('settled', 'dead') and j.has_retry
      and r.tenant = its_tenant and r.endpoint = its_endpoint and r.sequence = j.sequence
  ), settled as (
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, requeued,
      receipt_status, receipt_detail, receipt_at)
    select its_tenant, its_endpoint, day, sequence,
      case when verdict = 'dead' then 'dead'
        when awaiting or d_status = 'delivered' then 'delivered' else 'settled' end,
      attempts, coalesce(d_previous, r_previous),
      coalesce(d_first_at, r_first_at, told_at), coalesce(r_last_at, d_last_at, told_at),
      coalesce(queue_ms, 0), coalesce(latency_ms, 0), coalesce(r_code, d_code),
      case when verdict = 'dead' then 'receipt: ' || coalesce(new_detail, 'failed') || ' ('
          || attempts || case attempts when 1 then ' attempt' else ' attempts' end || ' failed)'
        when awaiting then null else coalesce(r_error, d_error) end,
      coalesce(r_requeued, d_requeued, false), new_status, new_detail, told_at
    from judged
    where verdict in ('settled', 'dead') and day >= (select oldest_day from log_settings)
    on conflict (tenant, endpoint, day, sequence) do update
      set status = excluded.status, attempts = excluded.attempts, previous = excluded.previous,
        last_attempt_at = excluded.last_attempt_at, status_code = excluded.status_code,
        error = excluded.error, requeued = excluded.requeued,
        receipt_status = excluded.receipt_status, receipt_detail = excluded.receipt_detail,
        receipt_at = excluded.receipt_at
  ), noted as (
    -- What is due may be under way, and when that ends well its next attempt is not due at once.
    update retries r set receipt_status = new_status, receipt_detail = new_detail,
      receipt_at = told_at,
      due_at = case when r.due_at > told_at or r.attempts >= delays_each then r.due_at
        else told_at + interval '1 millisecond'
          * event_delays[(j.n - 1) * delays_each + r.attempts + 1] end
    from judged j
    where j.verdict = 'noted'
      and r.tenant = its_tenant and r.endpoint = its_endpoint and r.sequence = j.sequence
  ), postponed as (
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, status_code, error, requeued, receipt_status,
      receipt_detail, receipt_at)
    select its_tenant, its_endpoint, sequence, day, attempts, coalesce(r_previous, d_previous),
      -- Without a schedule what was never pushed still has its first attempt.
      told_at + interval '1 millisecond'
        * coalesce(event_delays[(n - 1) * delays_each + greatest(attempts, 1)], 0),
      coalesce(r_first_at, d_first_at, told_at), coalesce(r_last_at, d_last_at, told_at),
      coalesce(r_code, d_code), 'receipt: ' || coalesce(new_detail, 'failed'),
      coalesce(r_requeued, d_requeued, false), new_status, new_detail, told_at
    from judged where verdict = 'retrying'
    on conflict (tenant, endpoint, sequence) do update
      set due_at = excluded.due_at, error = excluded.error, awaiting = false,
        receipt_status = excluded.receipt_status, receipt_detail = excluded.receipt_detail,
        receipt_at = excluded.receipt_at
  ), awaited as (
    insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
      error_class, error, truncated)
    select its_tenant, its_endpoint, day, sequence, 0, told_at, 0,
      least(coalesce(event_delays[(n - 1) * delays_each + 1], 0), 2147483647)::int,
      'receipt', new_detail, false
    from judged where verdict = 'waiting' and day >= (select oldest_day from log_settings)
    on conflict (tenant, endpoint, day, sequence, attempt) do update
      set at = excluded.at, latency_ms = excluded.latency_ms, error = excluded.error
  )
  select array_agg(j.sequence order by j.n), array_agg(j.verdict order by j.n),
      -- An attempt that is under way has to ask for what was noted of it.
      array_agg(j.verdict in ('retrying', 'noted', 'dead')
        or j.verdict = 'settled' and (j.has_retry or j.d_status is null
          -- It counts as not pushed after a position was moved back.
          or j.sequence > place.sequence) order by j.n)
    into told_sequences, told_outcomes, told_touched
    from judged j;

  -- What was delivered stands among the retries now. By day: each statement is one partition.
  for revived in
    select g.day, array_agg(g.sequence) as sequences
    from unnest(event_days, event_sequences, told_outcomes) as g(day, sequence, outcome)
    where g.outcome = 'retrying' group by g.day
  loop
    delete from deliveries d where d.tenant = its_tenant and d.endpoint = its_endpoint
      and d.day = revived.day and d.sequence = any(revived.sequences);
  end loop;

  -- That receipts come at all has to be known, also of those that only count once a push has ended.
  if true = any(told_touched) or 'waiting' = any(told_outcomes) then
    update positions p set receipts = p.receipts + 1
      where p.tenant = its_tenant and p.consumer = its_endpoint
      returning p.receipts into version;
  end if;
  return query
    select t.sequence, case t.outcome when 'noted' then 'retrying' else t.outcome end, t.touched,
      version
    from unnest(told_sequences, told_outcomes, told_touched) as t(sequence, outcome, touched);
end
$$;
--> statement-breakpoint
-- A consumer's word that it has processed all up to an event. The position goes there, if it stands
-- before; what had no rows is settled by one row of `receipt_ranges`. The retries and dead letters up to
-- there are settled by `settle_retries` and `settle_dead`: from now on they are not tried any more.
--
-- What matched last at or before `to_sequence` was looked for under a generation: when another holds
-- by now, nothing is done, and the generation tells.
create function settle_through(
  its_tenant uuid, its_endpoint uuid, its_generation int, to_sequence bigint, to_day date,
  to_matched bigint, new_detail text
) returns table (generation int, was bigint, is_now bigint, receipts int)
language plpgsql set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
  place positions%rowtype;
  since timestamptz;
  told_at timestamptz;
  ended receipt_ranges%rowtype;
  ended_before timestamptz;
  version int;
begin
  select * into place from positions p
    where p.tenant = its_tenant and p.consumer = its_endpoint for update;
  if not found then return; end if;
  if place.generation <> its_generation then
    return query select place.generation, place.sequence, place.sequence, null::int;
    return;
  end if;
  since := coalesce(place.resumed_at, '-infinity');
  told_at := clock_timestamp();

  -- Those of before a position was moved back say nothing about what is pushed since.
  select * into ended from receipt_ranges g
    where g.tenant = its_tenant and g.endpoint = its_endpoint and g.at >= since
    order by g.through desc limit 1;
  if to_sequence > coalesce(ended.through, 0) then
    delete from receipt_ranges g where g.tenant = its_tenant and g.endpoint = its_endpoint
      and g.through = to_sequence;
    -- A consumer that confirms each page would leave a row for each. With the same detail they are one
    -- as long as they go on. Where it is another each time there is a row for about each minute, with
    -- the last, which was said of all that lies before as well: the row began after the one before it
    -- was last added to.
    select g.at into ended_before from receipt_ranges g
      where g.tenant = its_tenant and g.endpoint = its_endpoint and g.through < ended.through
      order by g.through desc limit 1;
    if ended.at >= told_at - interval '1 minute'
        and (ended.detail is not distinct from new_detail
          or ended_before >= told_at - interval '1 minute') then
      update receipt_ranges g
        set through = to_sequence, day = to_day, detail = new_detail, at = told_at
        where g.tenant = its_tenant and g.endpoint = its_endpoint and g.through = ended.through;
    else
      insert into receipt_ranges (tenant, endpoint, after, through, day, detail, at)
        values (its_tenant, its_endpoint, coalesce(ended.through, 0), to_sequence, to_day,
          new_detail, told_at);
    end if;
    -- Subjects that are further on stay. Of the others there is nothing left up to here, and whoever
    -- drives the endpoint may have passed over what they have beyond, and write its position there
    -- before it hears of this: so they are kept, until it finds that there is no more of them.
    update blocked_subjects b
      set sequence = to_sequence, day = to_day, matched = greatest(b.matched, to_matched)
      where b.tenant = its_tenant and b.endpoint = its_endpoint and b.sequence < to_sequence;
    update positions p
      set sequence = greatest(p.sequence, to_sequence),
        day = case when p.sequence < to_sequence then greatest(p.day, to_day) else p.day end,
        last_matched = case when p.sequence < to_sequence then greatest(p.last_matched, to_matched)
          else p.last_matched end,
        -- Its consumer is alive: the next event finds out whether the endpoint is. Not sooner than
        -- this after a failure, or many receipts would have it probed all the time.
        circuit_probe_at = case when p.circuit <> 'closed' and p.sequence < to_sequence
          then least(p.circuit_probe_at,
            greatest(told_at, p.last_failure_at + interval '10 seconds'))
          else p.circuit_probe_at end,
        receipts = p.receipts + 1
      where p.tenant = its_tenant and p.consumer = its_endpoint
      returning p.receipts into version;
  end if;
  return query select place.generation, place.sequence,
    greatest(place.sequence, to_sequence), version;
end
$$;
--> statement-breakpoint
-- Settles so many of the retries that `settle_through` has ended, and returns how many there were;
-- fewer are the last. It does nothing once the position was moved back: they are other ones then.
create function settle_retries(
  its_tenant uuid, its_endpoint uuid, to_sequence bigint, new_detail text, most int
) returns int
language plpgsql set lock_timeout = '2s' as $$
declare
  since timestamptz;
  settled int;
begin
  select coalesce(p.resumed_at, '-infinity') into since from positions p
    where p.tenant = its_tenant and p.consumer = its_endpoint for update;
  if not exists (
    select from receipt_ranges g where g.tenant = its_tenant and g.endpoint = its_endpoint
      and g.through >= to_sequence and g.at >= since
  ) then
    return 0;
  end if;
  with gone as (
    delete from retries where ctid = any(array(
      select r.ctid from retries r where r.tenant = its_tenant and r.endpoint = its_endpoint
        and r.sequence <= to_sequence
      order by r.sequence limit most))
    returning *
  ), written as (
    insert into deliveries as d (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms, status_code, error, requeued,
      receipt_status, receipt_detail, receipt_at)
    select tenant, endpoint, day, sequence, case when awaiting then 'delivered' else 'settled' end,
      attempts, previous, first_attempt_at, last_attempt_at, 0, 0, status_code,
      case when awaiting then null else error end, requeued,
      'processed', new_detail, clock_timestamp()
    from gone where day >= (select oldest_day from log_settings)
    -- It was settled before, and then sent again.
    on conflict (tenant, endpoint, day, sequence) do update
      set status = case when 'delivered' in (d.status, excluded.status) then 'delivered'
          else 'settled' end,
        attempts = greatest(d.attempts, excluded.attempts), receipt_status = 'processed',
        receipt_detail = excluded.receipt_detail, receipt_at = excluded.receipt_at
  )
  select count(*) into settled from gone;
  return settled;
end
$$;
--> statement-breakpoint
-- The same of what is dead, expired or was skipped: looks at so many that were not delivered, after the
-- given one, and tells how many it settled and where it stopped (null at the end).
create function settle_dead(
  its_tenant uuid, its_endpoint uuid, to_sequence bigint, new_detail text, after_day date,
  after_sequence bigint, looks int
) returns table (settled int, last_day text, last_sequence bigint)
language plpgsql set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
  since timestamptz;
  days date[];
  sequences bigint[];
  statuses text[];
  counted int := 0;
  dead record;
begin
  select coalesce(p.resumed_at, '-infinity') into since from positions p
    where p.tenant = its_tenant and p.consumer = its_endpoint for update;
  if not exists (
    select from receipt_ranges g where g.tenant = its_tenant and g.endpoint = its_endpoint
      and g.through >= to_sequence and g.at >= since
  ) then
    return query select 0, null::text, null::bigint;
    return;
  end if;
  select array_agg(l.day), array_agg(l.sequence), array_agg(l.status)
    into days, sequences, statuses
  from (
    select d.day, d.sequence, d.status from deliveries d
    where d.tenant = its_tenant and d.endpoint = its_endpoint and d.day >= after_day
      and (d.day, d.sequence) > (after_day, after_sequence) and d.sequence <= to_sequence
      and d.status <> 'delivered'
    order by d.day, d.sequence limit looks
  ) l;
  for dead in
    select l.day, array_agg(l.sequence) as sequences
    from unnest(days, sequences, statuses) as l(day, sequence, status)
    where l.status in ('dead', 'expired', 'skipped') group by l.day
  loop
    update deliveries d set status = 'settled', receipt_status = 'processed',
        receipt_detail = new_detail, receipt_at = clock_timestamp()
      where d.tenant = its_tenant and d.endpoint = its_endpoint and d.day = dead.day
        and d.sequence = any(dead.sequences);
    counted := counted + cardinality(dead.sequences);
  end loop;
  if cardinality(days) = looks then
    return query select counted, days[looks]::text, sequences[looks];
  else
    return query select counted, null::text, null::bigint;
  end if;
end
$$;
--> statement-breakpoint
-- As before (0005), but for what a receipt has settled: when its sender ended before the dead letters
-- up to there were settled, they would become retries that nobody makes any more.
create or replace function requeue_dead_letters(
  process uuid, its_tenant uuid, its_endpoint uuid, its_shard int, its_epoch bigint,
  its_generation int, outage_began timestamptz, after_day date, after_sequence bigint,
  most int, looks int
) returns table (moved int, last_day text, last_sequence bigint)
language plpgsql set lock_timeout = '500ms' as $$
#variable_conflict use_column
declare
  confirmed bigint;
begin
  if lock_lanes(process, array[its_tenant], array[its_endpoint], array[its_shard], array[its_epoch],
       array[its_generation]) is null then
    return query select 0, null::text, null::bigint;
    return;
  end if;
  select coalesce(max(g.through), 0) into confirmed
    from positions p
      join receipt_ranges g on g.tenant = p.tenant and g.endpoint = p.consumer
        and g.at >= coalesce(p.resumed_at, '-infinity')
    where p.tenant = its_tenant and p.consumer = its_endpoint and p.receipts > 0;

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
      and sequence > confirmed
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
