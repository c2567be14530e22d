CREATE TABLE "tickets" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"tenant" uuid NOT NULL,
	"key" "bytea" NOT NULL,
	"types" text[],
	"subjects" text[],
	"expires_at" timestamp with time zone NOT NULL,
	"good_until" timestamp with time zone NOT NULL,
	"reconnects_from" bigint
);
--> statement-breakpoint
CREATE INDEX "tickets_tenant" ON "tickets" USING btree ("tenant","good_until");--> statement-breakpoint
CREATE INDEX "tickets_good_until" ON "tickets" USING btree ("good_until");