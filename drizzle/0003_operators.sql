CREATE TABLE "erasures" (
	"tenant" uuid PRIMARY KEY NOT NULL,
	"events_total" bigint NOT NULL,
	"events_erased" bigint DEFAULT 0 NOT NULL,
	"rows_erased" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_types" (
	"type" text PRIMARY KEY NOT NULL,
	"description" text,
	"schema" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "housekeeper" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"owner" uuid,
	"expires_at" timestamp with time zone DEFAULT 'epoch' NOT NULL,
	CONSTRAINT "housekeeper_only_one" CHECK ("housekeeper"."only")
);
--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "appends_per_second" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "reads_per_second" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "pushes_per_second" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "endpoints_max" integer;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "erasing_since" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "log_days_day" ON "log_days" USING btree ("day");