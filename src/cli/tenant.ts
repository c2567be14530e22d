/**
 * Whose events a command is about. A tenant's own key says it; an operator has to, except where
 * there is only one: whoever tries Tidegate should not have to repeat a name.
 */
import type { components } from "../client/api.ts";
import type { Api } from "./api.ts";
import { Failure, usageFailure } from "./failure.ts";

type TenantPage = components["schemas"]["TenantPage"];

/** As many as a message can name. */
const namedMax = 10;

/** Undefined: the one that the key belongs to. */
export async function tenantOf(api: Api): Promise<string | undefined> {
  const { tenant } = api.connection;
  if (tenant !== undefined) return tenant;
  const page = await listTenants(api);
  if (page === undefined) return undefined;
  const names = page.tenants.map(({ tenant: name }) => name);
  const [only] = names;
  if (only === undefined) {
    throw usageFailure(
      "This gateway has no tenant yet",
      "Make one, whose events are a feed of their own: npx tidegate tenants create acme",
    );
  }
  if (names.length === 1) return only;
  const more = names.length === namedMax ? ", …" : "";
  throw usageFailure(
    "This gateway has several tenants: name one by --tenant or TIDEGATE_TENANT",
    `There are ${names.join(", ")}${more}`,
  );
}

/** Undefined for a tenant's own key, which may not list them. */
async function listTenants(api: Api): Promise<TenantPage | undefined> {
  try {
    return await api.call<TenantPage>("GET", "/tenants", { query: { limit: namedMax } });
  } catch (error) {
    if (error instanceof Failure && error.slug === "scope-missing") return undefined;
    throw error;
  }
}
