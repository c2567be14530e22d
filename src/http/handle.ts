/**
 * What happens to a request of a declared route before its handler: who is calling, what may the
 * caller do, what is asked, of which tenant. The caller comes first, so that without a key
 * nothing can be probed.
 */
import { Problem } from "../problem.ts";
import { authenticate, authorize, authenticated, resolveTenant } from "./auth.ts";
import type { Directory, Principal, Tenant } from "./auth.ts";
import type { ApiContext, ApiRequest } from "./request.ts";
import type { Reply, Route } from "./route.ts";
import { createBodyReader, createPathReader, createQueryReader } from "./validate.ts";

/** A request on its way: what has been found out about it so far, which is also what is logged. */
export type Exchange = {
  readonly context: ApiContext;
  readonly request: ApiRequest;
  principal: Principal | undefined;
  tenant: Tenant | undefined;
};

export type Handle = (exchange: Exchange) => Promise<Reply>;

export function createHandle(route: Route, directory: Directory): Handle {
  const readPath = createPathReader(route);
  const readQuery = createQueryReader(route);
  const readBody = createBodyReader(route);

  return async (exchange) => {
    const { context, request } = exchange;
    const target = request.incoming.url ?? "/";
    if (route.access !== "public") {
      exchange.principal = await identify(route, directory, request, target);
      authorize(exchange.principal, route.access);
    }
    const params = readPath(context);
    const query = readQuery(target);
    const body = await readBody(request);
    if (exchange.principal !== undefined && route.tenant !== undefined) {
      const name = tenantNamed(query.tenant, body);
      exchange.tenant = await tenantOf(route, directory, exchange.principal, name);
    }
    const { principal, tenant } = exchange;
    return await route.handle({ params, query: query.values, body, principal, tenant, request });
  };
}

async function identify(
  route: Route,
  directory: Directory,
  request: ApiRequest,
  target: string,
): Promise<Principal> {
  const authorization = request.header("authorization");
  if (authorization === undefined && route.ticket !== undefined && target.includes("?")) {
    const ticket = new URLSearchParams(target.slice(target.indexOf("?"))).get("ticket");
    if (ticket !== null) return authenticated(await route.ticket(ticket), "the ticket");
  }
  return await authenticate(directory, authorization);
}

async function tenantOf(
  route: Route,
  directory: Directory,
  principal: Principal,
  name: string | undefined,
): Promise<Tenant | undefined> {
  const mayBeAll = route.tenant === "optional" && principal.kind === "operator";
  if (mayBeAll && name === undefined) return undefined;
  return await resolveTenant(directory, principal, name);
}

function tenantNamed(inQuery: string | undefined, body: unknown): string | undefined {
  const inBody =
    typeof body === "object" && body !== null && "tenant" in body && typeof body.tenant === "string"
      ? body.tenant
      : undefined;
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody) {
    throw new Problem("invalid-parameter", "query and body name different tenants", {
      members: { parameter: "tenant" },
    });
  }
  return inQuery ?? inBody;
}
