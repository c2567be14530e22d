import { PageHead } from "../../parts/page.tsx";

export function System() {
  return <PageHead title="System" />;
}
