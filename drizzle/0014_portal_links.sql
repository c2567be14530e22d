-- Made by drizzle-kit. The token of a portal link is a key that knows what it was made by.
ALTER TABLE "keys" ADD COLUMN "maker" "bytea";--> statement-breakpoint
CREATE INDEX "keys_made" ON "keys" USING btree ("tenant","expires_at") WHERE "keys"."maker" is not null;--> statement-breakpoint
CREATE INDEX "keys_made_until" ON "keys" USING btree ("expires_at") WHERE "keys"."maker" is not null;