/**
 * Finds endpoints for those who may see them, shows them and tells of their changes: what all that
 * is done with an endpoint begins and ends with. An id of another tenant, one that nobody has and
 * what is no id at all get the same answer.
 */
import { endpointName } from "../../deliveries/endpoint.ts";
import { tenantErasing, type Tenant } from "../../http/auth.ts";
import { Problem } from "../../problem.ts";
import type { Change } from "../directory.ts";
import { show, type ShownEndpoint } from "./show.ts";
import type { Endpoint, EndpointStore } from "./store.ts";

export type EndpointAccess = ReturnType<typeof createEndpointAccess>;

export function createEndpointAccess(options: {
  store: EndpointStore;
  /** Called after the commit. */
  changed: (change: Change) => void;
}) {
  const { store, changed } = options;

  return { find, showOne, announce };

  /** `tenant` is whose the endpoint has to be; undefined for any. */
  async function find(id: string, tenant: Tenant | undefined): Promise<Endpoint> {
    const endpoint = await store.find(id, tenant);
    if (endpoint === undefined) throw unknownEndpoint();
    // Found by an operator, who need not name the tenant.
    if (endpoint.tenant.erasing) throw tenantErasing(endpoint.tenant.name);
    return endpoint;
  }

  async function showOne({ tenant, row }: Endpoint): Promise<ShownEndpoint> {
    const [view] = await store.view(tenant, [row]);
    if (view !== undefined) return show(view);
    // Removed in this moment, if not with all of its tenant.
    await find(endpointName(row.id), tenant);
    throw unknownEndpoint();
  }

  function announce({ tenant: { id, shard } }: Endpoint): void {
    changed({ what: "endpoints", tenant: id, shard });
  }
}

export function unknownEndpoint(): Problem {
  return new Problem("not-found", "there is no such endpoint");
}
