/**
 * What is undelivered of a window, over many tenants, by the times that the rows keep of their
 * events: so the window's first event is looked for in few logs. A row of a version that kept none
 * counts as the log tells: by its sequence, for which its tenant's first event is looked for.
 */
import { sql as template, type SQL } from "drizzle-orm";
import type { Window } from "./undelivered-window.ts";

const isFailed = template`d.status in ('dead', 'expired')`;

/** Older ones are owed no more, though they may not have gone yet. */
function isKept(row: SQL, { sinceDay }: Pick<Window, "sinceDay">): SQL {
  return template`
    ${row}.day >= ${sinceDay}::date and ${row}.day >= (select oldest_day from log_settings)`;
}

/** Rows of deliveries or retries that lie in the window, by a row of `scope` of their tenant. */
export function liesIn(row: SQL, scope: SQL, window: Window): SQL {
  if (window.dated) {
    return template`
      ${isKept(row, window)} and ${row}.appended_at > ${window.since}::timestamptz`;
  }
  return template`
    ${isKept(row, window)} and case when ${row}.appended_at is null
      then ${row}.sequence >= ${scope}.first
      else ${row}.appended_at > ${window.since}::timestamptz end`;
}

/** Dead letters, out of an index that begins with their times, and of another those without one. */
export function diedSince(window: Window): SQL {
  const columns = template`d.tenant, d.endpoint, d.sequence, d.status`;
  const dated = template`
    select ${columns} from deliveries d
    where d.appended_at > ${window.since}::timestamptz and ${isKept(template`d`, window)}
      and ${isFailed}`;
  if (window.dated) return template`(${dated})`;
  return template`(
    ${dated}
    union all
    select ${columns} from deliveries d join scope s on s.tenant = d.tenant
    where d.appended_at is null and d.sequence >= s.first and ${isKept(template`d`, window)}
      and ${isFailed})`;
}
