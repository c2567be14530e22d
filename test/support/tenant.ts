/** What tests do not care about in a tenant: nothing limits it, nobody erases it. */
import type { Tenant } from "../../src/http/auth.ts";

export const unlimited: Pick<Tenant, "limits" | "erasing"> = {
  limits: {
    appendsPerSecond: null,
    readsPerSecond: null,
    pushesPerSecond: null,
    endpoints: null,
  },
  erasing: false,
};
