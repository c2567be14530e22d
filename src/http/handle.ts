/**
 * What happens to a request of a declared route before its handler: who is calling, what may the
 * caller do, what is asked, of which tenant. The caller comes first, so that without a key
 * nothing can be probed.
 */
import { Problem } from "../problem.ts";
import { authenticate, authorize, authenticated, resolveTenant } from "./auth.ts";
import type { Directory, Principal, Tenant } from "./auth.ts";
import type { InFlight } from "./in-flight.ts";
import { quotaExceeded, type RateLimiter } from "./rate-limit.ts";
import type { ApiRequest, Routed } from "./request.ts";
import type { Reply, Route } from "./route.ts";
import { createBodyReader, createPathReader, createQueryReader } from "./validate.ts";

/** A request on its way: what has been found out about it so far, which is also what is logged. */
export type Exchange = {
  readonly routed: Routed;
  readonly request: ApiRequest;
  principal: Principal | undefined;
  tenant: Tenant | undefined;
  /** What has to be done when its handler is done. */
  readonly leave: (() => void)[];
};

export type HandleOptions = {
  readonly directory: Directory;
  readonly limiter: RateLimiter;
  readonly inFlight: InFlight;
};

export type Handle = (exchange: Exchange) => Promise<Reply>;

export function createHandle(route: Route, options: HandleOptions): Handle {
  const { directory, limiter, inFlight } = options;
  const readPath = createPathReader(route);
  const readQuery = createQueryReader(route);
  const readBody = createBodyReader(route);

  return async (exchange) => {
    const { routed, request } = exchange;
    const target = request.incoming.url ?? "/";
    if (route.access !== "public") {
      // Public routes answer at once, and a probe that got no answer would make things worse.
      enter(inFlight, exchange);
      exchange.principal = await identify(route, directory, request, target);
      authorize(exchange.principal, route.access);
      enterTenant(inFlight, exchange);
    }
    const params = readPath(routed);
    const query = readQuery(target);
    const body = await readBody(request);
    if (exchange.principal !== undefined && route.tenant !== undefined) {
      const name = tenantNamed(query.tenant, body);
      exchange.tenant = await tenantOf(route, directory, exchange.principal, name);
    }
    const { principal, tenant } = exchange;
    if (route.limit === "reads" && tenant !== undefined) countRead(limiter, tenant, request);
    return await route.handle({ params, query: query.values, body, principal, tenant, request });
  };
}

function enter(inFlight: InFlight, { leave }: Exchange): void {
  inFlight.enter();
  leave.push(inFlight.leave);
}

/** An operator's requests count in all only. */
function enterTenant(inFlight: InFlight, { principal, request, leave }: Exchange): void {
  if (principal?.kind !== "tenant") return;
  const { id } = principal.tenant;
  inFlight.enterTenant(id);
  leave.push(() => inFlight.leaveTenant(id));
  request.share.belongTo(id);
}

/** The headers go to the response whatever becomes of it: a page, a problem or a stream. */
function countRead(limiter: RateLimiter, tenant: Tenant, { outgoing }: ApiRequest): void {
  const taken = limiter.take(tenant, "reads", 1);
  if (taken === undefined) return;
  if (!taken.allowed) throw quotaExceeded(tenant, "reads", taken);
  for (const [name, value] of Object.entries(taken.headers)) outgoing.setHeader(name, value);
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
