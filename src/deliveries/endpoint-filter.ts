/** Which events an endpoint wants, for those who read them instead of having them pushed. */
import type { Sql } from "../db/database.ts";
import type { TenantId } from "../log/event.ts";
import type { Filter } from "../log/filter.ts";
import { endpointUuid } from "./endpoint.ts";

/** Undefined for an endpoint of another tenant, and for what is no endpoint's id. */
export type EndpointFilterOf = (tenant: TenantId, endpoint: string) => Promise<Filter | undefined>;

export function createEndpointFilterOf(sql: Sql): EndpointFilterOf {
  return async (tenant, endpoint) => {
    const uuid = endpointUuid(endpoint);
    if (uuid === undefined) return undefined;
    const [row] = await sql<Filter[]>`
      select types, subjects from endpoints where tenant = ${tenant} and id = ${uuid}`;
    return row;
  };
}
