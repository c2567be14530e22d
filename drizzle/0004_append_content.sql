-- The append of 0001, with two changes. The end of the envelope is handed in whole, since an event
-- may have `data`, `data_base64` or neither: `event_contents` is that member's text with a comma
-- before it, or empty. And days never lie before the oldest one that may be read.
--
-- All else is as 0001 explains it for `append_events`, which processes of the version before still
-- call while they are replaced.
create function append_to_logs(
  group_id uuid, wait_for_locks boolean,
  event_tenants uuid[], event_nonces text[], event_types text[], event_subjects text[],
  event_keys text[], event_digests text[],
  envelope_starts text[], event_times text[], envelope_middles text[], event_contents text[]
) returns table (
  ordinal int, outcome text, sequence bigint, day date, appended_at timestamptz, id text, envelope text
)
language plpgsql as $$
#variable_conflict use_column
declare
  locked uuid[];
  locked_heads bigint[];
  locked_days date[];
  locked_times timestamptz[];
  now_at timestamptz;
begin
  if wait_for_locks then
    select array_agg(h.tenant), array_agg(h.head), array_agg(h.day), array_agg(h.at)
      into locked, locked_heads, locked_days, locked_times
      from (select * from heads where tenant = any(event_tenants) order by tenant for update) h;
  else
    select array_agg(h.tenant), array_agg(h.head), array_agg(h.day), array_agg(h.at)
      into locked, locked_heads, locked_days, locked_times
      from (select * from heads where tenant = any(event_tenants) order by tenant
              for update skip locked) h;
  end if;

  -- Only now: a clock read before the lock could be older than the last event's.
  now_at := date_trunc('milliseconds', clock_timestamp());

  -- A second statement on purpose: its snapshot is taken after the locks, so it sees the keys that
  -- the holders before us committed.
  return query
  with input as materialized (
    select e.*,
      case when e.key is null then e.ordinal
           else min(e.ordinal) over (partition by e.tenant, e.key) end as original
    from unnest(event_tenants, event_nonces, event_types, event_subjects, event_keys, event_digests,
                envelope_starts, event_times, envelope_middles, event_contents) with ordinality
      as e(tenant, nonce, type, subject, key, digest, start, time, middle, content, ordinal)
  ), logs as materialized (
    select l.tenant, l.head, l.day as last_day,
      greatest(l.at, now_at) as at,
      -- Not on a day that retention has taken, where nobody would see it: the clock may have been
      -- ahead when that was done.
      greatest(l.day, (now_at at time zone 'UTC')::date, (select oldest_day from log_settings)) as day
    from unnest(locked, locked_heads, locked_days, locked_times) as l(tenant, head, day, at)
  ), known as materialized (
    select i.ordinal, k.sequence, k.day, k.digest, k.id
    from input i
      join logs l on l.tenant = i.tenant
      join lateral (
        select * from append_keys k
        where k.tenant = i.tenant and k.key = i.key and k.day >= l.day - 1
        order by k.day desc limit 1
      ) k on true
    where i.key is not null and i.original = i.ordinal
  ), fresh as materialized (
    select i.ordinal, i.tenant, i.key, i.digest, i.type, i.subject, n.sequence, l.day, l.at, n.id,
      '{"specversion":"1.0","id":"' || n.id || '",' || i.start
        || '"time":"' || coalesce(i.time, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        || '",' || i.middle || '"sequence":"' || lpad(n.sequence::text, 20, '0')
        || '"' || i.content || '}' as envelope
    from (
        select i.*, row_number() over (partition by i.tenant order by i.ordinal) as rank
        from input i
        where i.original = i.ordinal and not exists (select from known k where k.ordinal = i.ordinal)
      ) i
      join logs l on l.tenant = i.tenant
      cross join lateral (
        select l.head + i.rank as sequence,
          'evt_' || l.day::text || '_' || left(replace(i.tenant::text, '-', ''), 16)
            || to_hex(l.head + i.rank) || i.nonce as id
      ) n
  ), inserted as (
    insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
    select f.tenant, f.day, f.sequence, f.at, f.type, f.subject, f.envelope from fresh f
  ), remembered as (
    insert into append_keys (tenant, key, day, sequence, digest, id)
    select f.tenant, f.key, f.day, f.sequence, f.digest, f.id from fresh f where f.key is not null
  ), ends as materialized (
    select f.tenant, max(f.sequence) as head, min(f.sequence) as first, f.day, f.at, l.last_day
    from fresh f join logs l on l.tenant = f.tenant
    group by f.tenant, f.day, f.at, l.last_day
  ), moved as (
    update heads h set head = e.head, day = e.day, at = e.at from ends e where h.tenant = e.tenant
  ), days as (
    insert into log_days (tenant, day, first_sequence, first_at)
    select e.tenant, e.day, e.first, e.at from ends e where e.day > e.last_day
  ), recorded as (
    insert into append_groups (id, at, tenants, heads)
    select group_id, now_at, array_agg(e.tenant), array_agg(e.head) from ends e
  ), first_answers as (
    select f.ordinal, f.sequence, f.day, f.digest, f.id, true as is_new from fresh f
    union all
    select k.ordinal, k.sequence, k.day, k.digest, k.id, false from known k
  )
  select i.ordinal::int,
    case when l.tenant is null then case when wait_for_locks then 'gone' else 'deferred' end
         when a.is_new and i.original = i.ordinal then 'appended'
         when a.digest is not distinct from i.digest then 'duplicate'
         else 'conflict' end,
    a.sequence, a.day, l.at, a.id, f.envelope
  from input i
    left join logs l on l.tenant = i.tenant
    left join first_answers a on a.ordinal = i.original
    left join fresh f on f.ordinal = i.ordinal
  order by i.ordinal;
end
$$;
