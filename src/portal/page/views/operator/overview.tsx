import { PageHead } from "../../parts/page.tsx";

export function OperatorOverview() {
  return <PageHead title="OperatorOverview" />;
}
