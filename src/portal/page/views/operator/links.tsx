/** How operators get from a row to whatever it is about. */
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";

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
