import { PageHead } from "../../parts/page.tsx";

export function Tenants() {
  return <PageHead title="Tenants" />;
}
