import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Endpoint: TenantView = ({ tenant }) => <PageHead title="Endpoint" lead={tenant} />;
