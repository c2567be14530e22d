/**
 * Receipts of one event, for people: what each endpoint's consumer has said of it last, be it by the
 * event's id or by a cursor beyond it. Nothing is found any more when retention has taken the event.
 */
import { arrayText, type Sql } from "../db/database.ts";
import { readListCursor, writeListCursor } from "../http/list-cursor.ts";
import type { LogEvent, TenantId } from "../log/event.ts";
import { compileFilter, type Filter } from "../log/filter.ts";
import { endpointName, endpointUuid } from "./endpoint.ts";

export type ListedReceipt = {
  /** The uuid. */
  readonly endpoint: string;
  readonly status: "processed" | "failed";
  readonly detail: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
};

export type ReceiptPage = {
  readonly receipts: readonly ListedReceipt[];
  readonly cursor: string | null;
  readonly hasMore: boolean;
};

type Row = ListedReceipt & Filter & { readonly isRange: boolean };

const lowestEndpoint = "00000000-0000-0000-0000-000000000000";

const cursorForm = /^ep_[0-9a-f]{32}$/;

/** Of endpoints that there are, the oldest first; of some alone, if they are given. */
export async function listReceipts(
  sql: Sql,
  of: { tenant: TenantId; event: LogEvent; endpoints: readonly string[] | undefined },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<ReceiptPage> {
  const { tenant, event, endpoints } = of;
  const { day, sequence } = event;
  const name = cursor === undefined ? undefined : readListCursor(cursor, cursorForm);
  const after = endpointUuid(name ?? "") ?? lowestEndpoint;
  const rows = await sql<Row[]>`
    select e.id as endpoint, e.types, e.subjects, r.status, r.detail,
      (extract(epoch from r.at) * 1000)::bigint as at, r."isRange"
    from endpoints e cross join lateral (
      select * from (
        (select receipt_status as status, receipt_detail as detail, receipt_at as at,
            false as "isRange"
          from deliveries where tenant = ${tenant} and endpoint = e.id and day = ${day}
            and sequence = ${sequence} and receipt_status is not null)
        union all
        (select receipt_status, receipt_detail, receipt_at, false from retries
          where tenant = ${tenant} and endpoint = e.id and sequence = ${sequence}
            and receipt_status is not null)
        union all
        -- The nearest alone is one descent of the index, however many there are beyond.
        (select 'processed', detail, at, true from (
            select detail, at, after from receipt_ranges
            where tenant = ${tenant} and endpoint = e.id and through >= ${sequence}
            order by through limit 1
          ) as nearest where after < ${sequence})
      ) as said
      -- What was processed stays so, whatever is said of it later.
      order by status desc, "isRange", at desc limit 1
    ) r
    where e.tenant = ${tenant} and e.id > ${after}
      ${endpoints === undefined ? sql`` : sql`and e.id = any(${arrayText(endpoints)}::uuid[])`}
    order by e.id limit ${limit + 1}`;
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    receipts: page.filter((row) => !row.isRange || compileFilter(row).matches(event)),
    cursor: last === undefined ? (cursor ?? null) : writeListCursor(endpointName(last.endpoint)),
    hasMore: rows.length > limit,
  };
}
