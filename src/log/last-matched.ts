/** temporary */
import type { Sql } from "../db/database.ts";
import type { Position, Sequence, TenantId } from "./event.ts";
import type { Filter } from "./filter.ts";

export type LastMatched = (
  tenant: TenantId,
  at: Position,
  filter: Filter,
  above?: Sequence,
) => Promise<Sequence>;

export function createLastMatched(_sql: Sql): LastMatched {
  return async (_tenant, at, _filter, above = 0) => Math.max(at.sequence, above);
}
