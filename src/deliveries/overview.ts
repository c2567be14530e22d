/**
 * How all tenants' endpoints stand, for whoever runs the gateway. Exact, at what it costs to read
 * all positions: some 20 ms for 100,000. Those that are well are only counted, since to look at what
 * each row says costs several times that; the others are few, and are looked at once for all sums.
 */
import type { ReadSql } from "../db/read-within.ts";
import type { Circuit, Status } from "./positions.ts";

export type Overview = {
  readonly tenants: { readonly total: number; readonly erasing: number };
  readonly consumers: number;
  readonly endpoints: Readonly<Record<Status, number>> & {
    readonly total: number;
    /** Active, and nothing but failures has come of late. */
    readonly failing: number;
    readonly circuits: Readonly<Record<Circuit, number>>;
  };
  /** Those that have failed for the longest first. */
  readonly failing: readonly FailingEndpoint[];
};

export type FailingEndpoint = {
  /** The uuid. */
  readonly id: string;
  /** The name. */
  readonly tenant: string;
  readonly url: string;
  readonly circuit: Circuit;
  /** Times in milliseconds since 1970. */
  readonly failingSince: number | null;
  readonly circuitSince: number | null;
  readonly nextProbeAt: number | null;
  readonly lastFailureAt: number | null;
  readonly lastFailure: string | null;
  /** Events of its tenant's log that lie beyond its position, whether they match it or not. */
  readonly behind: number;
};

/** Named consumers have positions, too: these poll, and have no circuits. */
export async function readOverview(sql: ReadSql, failingMax: number): Promise<Overview> {
  const [row] = await sql<[{ overview: Overview }]>`
    with apart as materialized (
      select tenant, consumer, sequence, status, circuit, failing_since, circuit_since,
        circuit_probe_at, last_failure_at, last_failure,
        status = 'active' and (circuit <> 'closed' or failing_since is not null) as failing
      from positions
      where status <> 'active' or circuit <> 'closed' or failing_since is not null
    ), sums as (
      select count(*) filter (where status <> 'active') as inactive,
        count(*) filter (where status = 'paused') as paused,
        count(*) filter (where status = 'polling') as polling,
        count(*) filter (where status = 'disabled') as disabled,
        count(*) filter (where circuit = 'open') as open,
        count(*) filter (where circuit = 'half_open') as half_open,
        count(*) filter (where failing) as failing
      from apart
    ), counts as (
      select (select count(*) from positions) as positions, (select count(*) from tenants) as tenants,
        (select count(*) from erasures) as erasing,
        -- Of a tenant that is being erased the positions go first.
        (select count(*) from consumers where tenant not in (select tenant from erasures))
          as consumers
    ), worst as (
      select a.consumer as id, t.name as tenant, e.url, a.circuit,
        (extract(epoch from a.failing_since) * 1000)::bigint as "failingSince",
        (extract(epoch from a.circuit_since) * 1000)::bigint as "circuitSince",
        (extract(epoch from a.circuit_probe_at) * 1000)::bigint as "nextProbeAt",
        (extract(epoch from a.last_failure_at) * 1000)::bigint as "lastFailureAt",
        a.last_failure as "lastFailure", greatest(h.head - a.sequence, 0) as behind
      from (
        select * from apart where failing
        order by coalesce(failing_since, circuit_since), consumer limit ${failingMax}
      ) a
      join endpoints e on e.tenant = a.tenant and e.id = a.consumer
      join tenants t on t.id = a.tenant join heads h on h.tenant = a.tenant
      order by coalesce(a.failing_since, a.circuit_since), a.consumer
    )
    select json_build_object(
      'tenants', json_build_object('total', tenants, 'erasing', erasing),
      'consumers', consumers,
      'endpoints', json_build_object(
        'total', positions - consumers, 'active', positions - inactive, 'paused', paused,
        'polling', polling - consumers, 'disabled', disabled, 'failing', failing,
        'circuits', json_build_object('closed', positions - consumers - open - half_open,
          'open', open, 'half_open', half_open)),
      'failing', (select coalesce(json_agg(w), '[]') from worst w)
    ) as overview
    from sums, counts`;
  return row.overview;
}
