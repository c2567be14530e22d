CREATE TABLE "blocked_subjects" (
	"tenant" uuid NOT NULL,
	"endpoint" uuid NOT NULL,
	"key" uuid NOT NULL,
	"subject" text NOT NULL,
	"sequence" bigint NOT NULL,
	"day" date NOT NULL,
	"matched" bigint NOT NULL,
	CONSTRAINT "blocked_subjects_tenant_endpoint_key_pk" PRIMARY KEY("tenant","endpoint","key")
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "trigger" text;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "url" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "requeued" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "give_up_after_ms" bigint;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "rate_per_second" double precision;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "ordering" text DEFAULT 'parallel' NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "signature" text DEFAULT 'v1' NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "drain_dead_letters" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "in_flight" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "failing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit" text DEFAULT 'closed' NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_probe_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "circuit_probes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "outage_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "positions" ADD COLUMN "resumed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "retries" ADD COLUMN "requeued" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "events_subject" ON "events" USING btree ("tenant",hashtextextended("subject", 0),"sequence") WHERE "events"."subject" is not null;