-- Made by drizzle-kit from src/db/schema.ts, then given by hand what drizzle cannot express: the four
-- tables that grow are partitioned by day, and the hot rows get free space on their pages, so that an
-- update stays on its page and touches no index (HOT).
CREATE TABLE "append_groups" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"tenants" uuid[],
	"heads" bigint[]
);
--> statement-breakpoint
CREATE TABLE "append_keys" (
	"tenant" uuid NOT NULL,
	"key" text NOT NULL,
	"day" date NOT NULL,
	"sequence" bigint NOT NULL,
	"digest" text NOT NULL,
	"id" text NOT NULL,
	CONSTRAINT "append_keys_tenant_key_day_pk" PRIMARY KEY("tenant","key","day")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "attempts" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"day" date NOT NULL,
	"sequence" bigint NOT NULL,
	"attempt" smallint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"queue_ms" integer NOT NULL,
	"latency_ms" integer NOT NULL,
	"status_code" smallint,
	"error_class" text,
	"error" text,
	"response_headers" text,
	"response_body" text,
	"truncated" boolean NOT NULL,
	CONSTRAINT "attempts_tenant_endpoint_day_sequence_attempt_pk" PRIMARY KEY("tenant","endpoint","day","sequence","attempt")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"day" date NOT NULL,
	"sequence" bigint NOT NULL,
	"status" text NOT NULL,
	"attempts" smallint NOT NULL,
	"previous" bigint NOT NULL,
	"first_attempt_at" timestamp with time zone NOT NULL,
	"last_attempt_at" timestamp with time zone NOT NULL,
	"queue_ms" integer NOT NULL,
	"latency_ms" integer NOT NULL,
	"status_code" smallint,
	"error" text,
	CONSTRAINT "deliveries_tenant_endpoint_day_sequence_pk" PRIMARY KEY("tenant","endpoint","day","sequence")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"tenant" uuid NOT NULL,
	"id" uuid NOT NULL,
	"url" text NOT NULL,
	"types" text[],
	"subjects" text[],
	"description" text,
	"metadata" jsonb NOT NULL,
	"headers" "bytea" NOT NULL,
	"header_names" text[] NOT NULL,
	"secrets" "bytea" NOT NULL,
	"timeout_ms" integer NOT NULL,
	"max_in_flight" integer NOT NULL,
	"retry_schedule_ms" integer[],
	"format" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "endpoints_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"tenant" uuid NOT NULL,
	"day" date NOT NULL,
	"sequence" bigint NOT NULL,
	"appended_at" timestamp with time zone NOT NULL,
	"type" text NOT NULL,
	"subject" text,
	"envelope" text NOT NULL,
	CONSTRAINT "events_tenant_day_sequence_pk" PRIMARY KEY("tenant","day","sequence")
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "heads" (
	"tenant" uuid PRIMARY KEY NOT NULL,
	"head" bigint DEFAULT 0 NOT NULL,
	"day" date DEFAULT '1970-01-01' NOT NULL,
	"at" timestamp with time zone DEFAULT 'epoch' NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
CREATE TABLE "keys" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" "bytea" NOT NULL,
	"tenant" uuid,
	"scopes" text[] NOT NULL,
	"description" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "log_days" (
	"tenant" uuid NOT NULL,
	"day" date NOT NULL,
	"first_sequence" bigint NOT NULL,
	"first_at" timestamp with time zone NOT NULL,
	CONSTRAINT "log_days_tenant_day_pk" PRIMARY KEY("tenant","day")
);
--> statement-breakpoint
CREATE TABLE "log_settings" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"shards" integer NOT NULL,
	"oldest_day" date DEFAULT '1970-01-01' NOT NULL,
	CONSTRAINT "log_settings_only_one" CHECK ("log_settings"."only")
);
--> statement-breakpoint
CREATE TABLE "positions" (
	"tenant" uuid NOT NULL,
	"consumer" uuid NOT NULL,
	"shard" smallint NOT NULL,
	"sequence" bigint NOT NULL,
	"day" date NOT NULL,
	"last_matched" bigint NOT NULL,
	"status" text NOT NULL,
	"status_reason" text,
	"generation" integer DEFAULT 1 NOT NULL,
	"last_success_at" timestamp with time zone,
	"last_failure_at" timestamp with time zone,
	"last_failure" text,
	CONSTRAINT "positions_tenant_consumer_pk" PRIMARY KEY("tenant","consumer")
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
CREATE TABLE "push_processes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "retries" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"day" date NOT NULL,
	"attempts" smallint NOT NULL,
	"previous" bigint NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"first_attempt_at" timestamp with time zone NOT NULL,
	"last_attempt_at" timestamp with time zone NOT NULL,
	"status_code" smallint,
	"error" text,
	CONSTRAINT "retries_tenant_endpoint_sequence_pk" PRIMARY KEY("tenant","endpoint","sequence")
);
--> statement-breakpoint
CREATE TABLE "shard_leases" (
	"shard" smallint PRIMARY KEY NOT NULL,
	"owner" uuid,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"expires_at" timestamp with time zone DEFAULT 'epoch' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_name" text,
	"shard" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "append_groups_at" ON "append_groups" USING btree ("at");--> statement-breakpoint
CREATE INDEX "deliveries_failed" ON "deliveries" USING btree ("tenant","endpoint","day","sequence") WHERE "deliveries"."status" <> 'delivered';--> statement-breakpoint
CREATE INDEX "endpoints_id" ON "endpoints" USING btree ("id");--> statement-breakpoint
CREATE UNIQUE INDEX "keys_hash" ON "keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "keys_tenant" ON "keys" USING btree ("tenant","id");--> statement-breakpoint
CREATE INDEX "positions_shard" ON "positions" USING btree ("shard");--> statement-breakpoint
CREATE INDEX "retries_due" ON "retries" USING btree ("tenant","endpoint","due_at");--> statement-breakpoint
CREATE UNIQUE INDEX "tenants_name" ON "tenants" USING btree ("name");