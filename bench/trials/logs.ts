/** What the database holds, counted apart from everything that the gateway says. */
import type { Sql } from "../../src/db/database.ts";
import { promise, count, type Finding } from "./trial.ts";

export type StoredLog = {
  readonly tenant: string;
  readonly stored: number;
  /** Different sequences, the first and the last of them, and the end that the log claims. */
  readonly distinct: number;
  readonly first: number;
  readonly last: number;
  readonly head: number;
};

export async function storedLogs(sql: Sql): Promise<StoredLog[]> {
  return await sql<StoredLog[]>`
    select t.name as tenant, h.head, coalesce(e.stored, 0) as stored,
      coalesce(e.differing, 0) as distinct, coalesce(e.first, 1) as first,
      coalesce(e.last, 0) as last
    from tenants t
    join heads h on h.tenant = t.id
    left join (
      select tenant, count(*) as stored, count(distinct sequence) as differing,
        min(sequence) as first, max(sequence) as last
      from events group by tenant
    ) e on e.tenant = t.id
    order by t.name`;
}

/** Numbered 1, 2, 3 … to the head, each number once. */
function isDense({ stored, distinct, first, last, head }: StoredLog): boolean {
  return first === 1 && last === head && stored === head && distinct === stored;
}

export function densePromise(logs: readonly StoredLog[]): Finding {
  const holed = logs.filter((log) => !isDense(log));
  const stored = logs.reduce((sum, log) => sum + log.stored, 0);
  const text = holed.length === 0 ? "" : `, not ${holed.map((log) => log.tenant).join(", ")}`;
  return promise(
    "every log is numbered 1, 2, 3 … without holes",
    holed.length === 0,
    `${count(stored)} events of ${logs.length} tenants${text}`,
  );
}
