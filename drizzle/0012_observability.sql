-- Made by drizzle-kit, with the partitioning and the function by hand: statistics of attempts, what is
-- undelivered of a tenant in the order of its log, which operational events a tenant asked for, and who
-- asked for a replay.
CREATE TABLE "delivery_hours" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"day" date NOT NULL,
	"attempts" integer NOT NULL,
	"failures" integer NOT NULL,
	"retries" integer NOT NULL,
	"queue_ms" integer[] NOT NULL,
	"latency_ms" integer[] NOT NULL,
	CONSTRAINT "delivery_hours_tenant_endpoint_day_at_type_pk" PRIMARY KEY("tenant","endpoint","day","at","type")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "delivery_minutes" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"day" date NOT NULL,
	"attempts" integer NOT NULL,
	"failures" integer NOT NULL,
	"retries" integer NOT NULL,
	"queue_ms" integer[] NOT NULL,
	"latency_ms" integer[] NOT NULL,
	CONSTRAINT "delivery_minutes_tenant_endpoint_day_at_type_pk" PRIMARY KEY("tenant","endpoint","day","at","type")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
ALTER TABLE "replays" ADD COLUMN "requested_by" text;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "operational_events" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "deliveries_undelivered" ON "deliveries" USING btree ("tenant","day","sequence","endpoint","status") WHERE "deliveries"."status" in ('dead', 'expired');--> statement-breakpoint
CREATE INDEX "retries_tenant" ON "retries" USING btree ("tenant","sequence","endpoint");
--> statement-breakpoint
-- As in 0001, with the tables of statistics.
create or replace function create_partitions(first date, last date) returns int
language plpgsql as $$
declare
  parent text;
  partition text;
  day date;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7433002);
  foreach parent in array array['events', 'append_keys', 'deliveries', 'attempts',
    'delivery_minutes', 'delivery_hours'] loop
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
