/**
 * The key behind what is made with it: tickets and portal links die with their maker, and end no
 * later than it does.
 */
import { eq, sql as template, type SQL } from "drizzle-orm";
import type { OrmTransaction } from "../../db/database.ts";
import { keys } from "../../db/schema.ts";
import { unauthorized } from "../../http/auth.ts";
import { hashKey } from "./keys.ts";

export type Maker = {
  readonly hash: Buffer;
  readonly expiresAt: Date | null;
  /** Of a portal link's token: what it was made by itself. */
  readonly maker: Buffer | null;
};

/**
 * Throws when the key is gone. It is found by its hash, and not by the id of who was let in: that
 * of the configured key outlives it.
 */
export async function makerOf(
  transaction: OrmTransaction,
  key: string | undefined,
): Promise<Maker> {
  const [maker] = await transaction
    .select({ hash: keys.hash, expiresAt: keys.expiresAt, maker: keys.maker })
    .from(keys)
    .where(eq(keys.hash, hashKey(key ?? "")));
  if (maker === undefined) throw unauthorized("the key is not valid");
  return maker;
}

/** When what it makes now for so long ends, by the database's clock. */
export function endOf({ expiresAt }: Maker, ttlSeconds: number): SQL {
  const endOfKey = expiresAt?.toISOString() ?? null;
  return template`
    least(${endOfKey}::timestamptz, clock_timestamp() + ${ttlSeconds} * interval '1 s')`;
}
