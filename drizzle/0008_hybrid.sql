-- Made by drizzle-kit. Appends do not wait; pushes and pulls of old days may, while the index on dead letters is built.
CREATE TABLE "consumers" (
	"tenant" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"types" text[],
	"subjects" text[],
	"handed_out" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "consumers_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "receipt_ranges" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"after" bigint NOT NULL,
	"through" bigint NOT NULL,
	"day" date NOT NULL,
	"detail" text,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "receipt_ranges_tenant_endpoint_through_pk" PRIMARY KEY("tenant","endpoint","through")
);
--> statement-breakpoint
CREATE TABLE "replays" (
	"tenant" uuid NOT NULL,
	"id" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"kind" text NOT NULL,
	"types" text[],
	"after" bigint NOT NULL,
	"through" bigint NOT NULL,
	"since" timestamp with time zone,
	"until" timestamp with time zone,
	"status" text NOT NULL,
	"sequence" bigint NOT NULL,
	"day" date NOT NULL,
	"total" bigint,
	"sent" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "replays_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
ALTER TABLE "deliveries" ALTER COLUMN "previous" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "retries" ALTER COLUMN "previous" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "replay" uuid;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "receipt_status" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "receipt_detail" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "receipt_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "receipts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "awaiting" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "receipt_status" text;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "receipt_detail" text;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "receipt_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "require_receipt" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "receipt_timeout_ms" integer DEFAULT 300000 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "consumers_name" ON "consumers" USING btree ("tenant","name");--> statement-breakpoint
CREATE INDEX "receipt_ranges_day" ON "receipt_ranges" USING btree ("day");--> statement-breakpoint
CREATE INDEX "replays_id" ON "replays" USING btree ("id");--> statement-breakpoint
CREATE INDEX "replays_running" ON "replays" USING btree ("tenant","endpoint","created_at") WHERE "replays"."status" = 'running';--> statement-breakpoint
CREATE INDEX "deliveries_dead" ON "deliveries" USING btree ("tenant","endpoint","day","sequence") WHERE "deliveries"."status" = 'dead';