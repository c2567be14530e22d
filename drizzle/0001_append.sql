-- Appends one group of events, of any number of tenants, in one statement.
--
-- Order. Each tenant's row in `heads` is locked, in one global order, and the lock is held to the
-- commit. So sequences become visible in the order they were handed out, every snapshot sees a
-- prefix without holes, and a rollback leaves none.
--
-- One tenant must not hold up the others in its group: without `wait_for_locks` a tenant whose row
-- is locked is left out (outcome 'deferred') and the caller tries it again alone.
--
-- `group_id` is unique. A caller that lost its connection inserts the same id itself: when that
-- conflicts the group was committed, and when it does not the group never will be.
create function append_events(
  group_id uuid, wait_for_locks boolean,
  event_tenants uuid[], event_nonces text[], event_types text[], event_subjects text[],
  event_keys text[], event_digests text[],
  envelope_starts text[], event_times text[], envelope_middles text[], event_data text[]
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
                envelope_starts, event_times, envelope_middles, event_data) with ordinality
      as e(tenant, nonce, type, subject, key, digest, start, time, middle, data, ordinal)
  ), logs as materialized (
    select l.tenant, l.head, l.day as last_day,
      greatest(l.at, now_at) as at,
      greatest(l.day, (now_at at time zone 'UTC')::date) as day
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
        || '","data":' || i.data || '}' as envelope
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
--> statement-breakpoint
-- The last sequence appended before `instant`, found in the day that holds it: append times never
-- decrease along a log, so a binary search over its sequences needs no index on time.
create function sequence_before(of_tenant uuid, instant timestamptz)
returns table (sequence bigint, day date)
language plpgsql stable as $$
#variable_conflict use_column
declare
  start_day date;
  low bigint;
  high bigint;
  middle bigint;
  middle_at timestamptz;
begin
  select d.day, d.first_sequence into start_day, low from log_days d
    where d.tenant = of_tenant and d.first_at < instant order by d.day desc limit 1;
  if not found then
    return;
  end if;
  select coalesce(
      (select d.first_sequence - 1 from log_days d
        where d.tenant = of_tenant and d.day > start_day order by d.day limit 1),
      (select h.head from heads h where h.tenant = of_tenant))
    into high;
  -- The event at `low` is before `instant`, everything above `high` is not.
  while low < high loop
    middle := (low + high + 1) / 2;
    select e.appended_at into middle_at from events e
      where e.tenant = of_tenant and e.day = start_day and e.sequence = middle;
    if middle_at is null or middle_at >= instant then
      high := middle - 1;
    else
      low := middle;
    end if;
  end loop;
  return query select low, start_day;
end
$$;

--> statement-breakpoint
-- Makes the partitions of the days `first` to `last` that are missing. Each is created apart and
-- then attached: that takes a lock that neither appends nor reads wait for, where `create table …
-- partition of` would queue behind a long reader and stop all others behind itself.
create function create_partitions(first date, last date) returns int
language plpgsql as $$
declare
  parent text;
  partition text;
  day date;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7433002);
  foreach parent in array array['events', 'append_keys', 'deliveries', 'attempts'] loop
    for day in select generate_series(first, last, '1 day')::date loop
      partition := parent || '_' || to_char(day, 'YYYYMMDD');
      continue when to_regclass(quote_ident(partition)) is not null;
      execute format('create table %I (like %I including all)', partition, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)',
        parent, partition, day, day + 1);
      made := made + 1;
    end loop;
  end loop;
  return made;
end
$$;
