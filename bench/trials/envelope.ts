/** The envelope of an event that is stored by SQL, in its final form, as the append makes it. */
import type { PendingQuery, Row, Sql } from "postgres";

/**
 * For a statement that has the tenant as `t`, and the event's `at` and `sequence`. The three are SQL:
 * parameters with the type text, or columns.
 */
export function envelopeText(
  sql: Sql,
  { type, subject, data }: Readonly<Record<"type" | "subject" | "data", PendingQuery<Row[]>>>,
) {
  return sql`
    '{"specversion":"1.0","id":"evt_' || to_char(at at time zone 'UTC', 'YYYY-MM-DD') || '_'
      || left(replace(t.id::text, '-', ''), 16) || to_hex(sequence) || left(md5(sequence::text), 8)
      || '","source":"/tenants/' || t.name || '","type":"' || ${type}
      || '","time":"' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      || '","subject":"' || ${subject}
      || '","datacontenttype":"application/json","dataversion":"1","tenant":"' || t.name
      || '","sequence":"' || lpad(sequence::text, 20, '0') || '","data":' || ${data} || '}'`;
}
