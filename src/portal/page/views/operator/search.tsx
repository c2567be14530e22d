import { PageHead } from "../../parts/page.tsx";

export function Search() {
  return <PageHead title="Search" />;
}
