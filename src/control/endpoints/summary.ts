/** How tenants' endpoints stand, in sum: what an operator looks at before any single endpoint. */
import { sql as template } from "drizzle-orm";
import { arrayText, type Orm } from "../../db/database.ts";

export type EndpointSummary = {
  readonly total: number;
  readonly active: number;
  readonly paused: number;
  readonly polling: number;
  readonly disabled: number;
  /** Of all of them, whatever their status is. */
  readonly circuits: { readonly closed: number; readonly open: number; readonly half_open: number };
};

export const noEndpoints: EndpointSummary = {
  ...{ total: 0, active: 0, paused: 0, polling: 0, disabled: 0 },
  circuits: { closed: 0, open: 0, half_open: 0 },
};

/** By tenant; those that have none are missing. */
export async function summarizeEndpoints(
  orm: Pick<Orm, "execute">,
  tenants: readonly string[],
): Promise<Map<string, EndpointSummary>> {
  const rows = await orm.execute<{ tenant: string } & EndpointSummary>(template`
    select e.tenant, count(*) as total,
      count(*) filter (where p.status = 'active') as active,
      count(*) filter (where p.status = 'paused') as paused,
      count(*) filter (where p.status = 'polling') as polling,
      count(*) filter (where p.status = 'disabled') as disabled,
      json_build_object(
        'closed', count(*) filter (where p.circuit = 'closed'),
        'open', count(*) filter (where p.circuit = 'open'),
        'half_open', count(*) filter (where p.circuit = 'half_open')) as circuits
    from endpoints e join positions p on p.tenant = e.tenant and p.consumer = e.id
    where e.tenant = any(${arrayText(tenants)}::uuid[])
    group by e.tenant`);
  return new Map(rows.map(({ tenant, ...summary }) => [tenant, summary]));
}
