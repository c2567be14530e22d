import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Endpoints: TenantView = ({ tenant }) => <PageHead title="Endpoints" lead={tenant} />;
