/** What every view of a tenant is given. */
import type { ComponentType } from "preact";

/** `params` are what the path names below the tenant: an id, decoded. */
export type TenantView = ComponentType<{
  tenant: string;
  params: Readonly<Record<string, string | undefined>>;
}>;
