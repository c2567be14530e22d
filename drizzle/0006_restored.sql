-- Made by drizzle-kit, with the functions by hand: what tells a database that came out of a backup
-- from the one it was taken of.
ALTER TABLE "log_settings" ADD COLUMN "identity" text[];--> statement-breakpoint
ALTER TABLE "log_settings" ADD COLUMN "restored_at" timestamp with time zone;--> statement-breakpoint
-- Which database this is: its cluster, itself in there, and the timeline that the cluster writes. A
-- dump is restored into another database, and recovery to a point in time, like the promotion of a
-- standby, begins another timeline. What the role may not ask for is null.
create function database_identity() returns text[]
language plpgsql as $$
declare
  cluster text;
  timeline text;
begin
  begin
    select system_identifier::text into cluster from pg_control_system();
  exception when others then
    cluster := null;
  end;
  begin
    -- The control file has the timeline of the last checkpoint, and a promoted standby may serve for
    -- minutes before it makes one.
    timeline := ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::text;
  exception when others then
    begin
      select timeline_id::text into timeline from pg_control_checkpoint();
    exception when others then
      timeline := null;
    end;
  end;
  return array[cluster, (select oid::text from pg_database where datname = current_database()),
    timeline];
end
$$;
--> statement-breakpoint
-- Notes which database this is. True when it is another one than was noted before: then the log was
-- restored, maybe to a state from before what was read of it, and `restored_at` says so for good.
-- The row's lock lets one of several processes find it, and the others find it noted.
create function note_database() returns boolean
language plpgsql as $$
declare
  noted text[];
  known text[];
  is_other boolean;
begin
  select identity into noted from log_settings for update;
  -- A part that is not told now, or was not then, says nothing.
  select array_agg(coalesce(p.now, p.before) order by p.part), bool_or(p.now <> p.before)
    into known, is_other
    from unnest(noted, database_identity()) with ordinality as p(before, now, part);
  is_other := coalesce(is_other, false);
  if noted is distinct from known then
    update log_settings set identity = known,
      restored_at = case when is_other then clock_timestamp() else restored_at end;
  end if;
  return is_other;
end
$$;
