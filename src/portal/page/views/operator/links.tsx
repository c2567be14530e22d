/** How operators get from a row to whatever it is about. */
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { Badge } from "../../parts/badge.tsx";

export function EndpointLink({ id, tenant, url }: { id: string; tenant: string; url: string }) {
  return (
    <Link href={tenantAddresses(tenant).endpoint(id)} class="wrap">
      <bdi>{url}</bdi>
    </Link>
  );
}

export function TenantLink({ tenant }: { tenant: string }) {
  return (
    <Link href={tenantAddresses(tenant).overview} class="wrap">
      {tenant}
    </Link>
  );
}

/** Its circuit says something only while it is pushed to. */
export function EndpointState({ status, circuit }: { status: string; circuit: string }) {
  if (status !== "active" || circuit === "closed") return <Badge state={status} />;
  return <Badge state={circuit} text={circuit === "open" ? "Circuit open" : "Being probed"} />;
}
