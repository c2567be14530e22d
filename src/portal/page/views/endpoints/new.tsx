import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const NewEndpoint: TenantView = ({ tenant }) => (
  <PageHead title="NewEndpoint" lead={tenant} />
);
