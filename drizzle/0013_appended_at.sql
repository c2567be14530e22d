-- Made by drizzle-kit, with the triggers by hand: what is undelivered tells when its event was appended,
-- so that of a window of time it is found without a search in the logs of all tenants.
ALTER TABLE "deliveries" ADD COLUMN "appended_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "appended_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "deliveries_undelivered_at" ON "deliveries" USING btree ("appended_at","tenant","endpoint","day","sequence","status") WHERE "deliveries"."appended_at" is not null and "deliveries"."status" in ('dead', 'expired');--> statement-breakpoint
CREATE INDEX "deliveries_undated" ON "deliveries" USING btree ("tenant","day","sequence","endpoint","status") WHERE "deliveries"."appended_at" is null and "deliveries"."status" in ('dead', 'expired');--> statement-breakpoint
CREATE INDEX "retries_undated" ON "retries" USING btree ("tenant") WHERE "retries"."appended_at" is null;
--> statement-breakpoint
-- Every row that is dead, expired or retried gets the time here, whoever writes it, those that still
-- run the version before among them. It is read where the event keeps it, so it is the same to the
-- microsecond. What was delivered only pays for the conditions of the triggers.
create function keep_append_time() returns trigger
language plpgsql
-- One plan for all days: to plan anew costs more than to look the event up.
set plan_cache_mode = force_generic_plan as $$
begin
  select e.appended_at into new.appended_at from events e
    where e.tenant = new.tenant and e.day = new.day and e.sequence = new.sequence;
  return new;
end
$$;
--> statement-breakpoint
-- On partitions, those that come later too, by way of the table that they belong to.
create trigger keep_append_time before insert or update of status on deliveries for each row
  when (new.appended_at is null and new.status in ('dead', 'expired'))
  execute function keep_append_time();
--> statement-breakpoint
create trigger keep_append_time before insert on retries for each row
  when (new.appended_at is null)
  execute function keep_append_time();
