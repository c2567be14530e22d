-- Custom SQL migration file: takes the place of `record_results` (0009), which processes of the
-- version before still call while they are replaced. It does the same, and is explained there.
--
-- What differs is what a batch of many endpoints costs. Of arrays and of what is made of them the
-- planner takes a handful of rows for granted, so it joined them by going through one for each row of
-- the other, and the answer was looked for in all outcomes for each endpoint, twice: with 2,000
-- endpoints, each with one outcome, 1.5 s. So what there is of a lane comes together by grouping, and
-- what was given of it is found by its number: neither depends on what the planner believes.
create function record_lanes(
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
    select from unnest(taken) as t(lane)
      join positions p on p.tenant = lane_tenants[t.lane] and p.consumer = lane_endpoints[t.lane]
    where p.receipts > 0
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
    select t.lane, p.tenant, p.consumer as endpoint, p.receipts from unnest(taken) as t(lane)
      join positions p on p.tenant = lane_tenants[t.lane] and p.consumer = lane_endpoints[t.lane]
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
  ), summary as materialized (
    select lane, lane_tenants[lane] as tenant, lane_endpoints[lane] as endpoint,
      max(receipts) as receipts,
      max(at) filter (where kind in ('delivered', 'awaiting_receipt')) as success_at,
      max(at) filter (where kind not in ('delivered', 'awaiting_receipt')) as failure_at,
      min(at) filter (where kind in ('retrying', 'dead')) as failing_since,
      (array_agg(error order by at desc)
        filter (where kind not in ('delivered', 'awaiting_receipt')))[1] as failure,
      coalesce(array_agg(sequence) filter (where closed or failed), '{}') as overruled,
      coalesce(array_agg(sequence) filter (where failed), '{}') as revived
    from (
      select lane, receipts, kind, at, error, sequence, closed, failed from outcomes
      union all
      -- Those that only moved.
      select lane, receipts, null, null, null, null, null, null from lanes
    ) told
    group by lane
  ), moved as (
    update positions p
      set sequence = greatest(p.sequence, lane_sequences[s.lane]),
        day = greatest(p.day, lane_days[s.lane]),
        last_matched = greatest(p.last_matched, lane_matched[s.lane]),
        in_flight = lane_in_flight[s.lane],
        last_success_at = coalesce(s.success_at, p.last_success_at),
        last_failure_at = coalesce(s.failure_at, p.last_failure_at),
        last_failure = coalesce(s.failure, p.last_failure),
        failing_since = case when s.success_at is not null then null
                             else coalesce(p.failing_since, s.failing_since) end
    from summary s
    where p.tenant = s.tenant and p.consumer = s.endpoint
  )
  select s.endpoint, s.receipts, s.overruled, s.revived from summary s;
end
$$;
