import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Deliveries: TenantView = ({ tenant }) => <PageHead title="Deliveries" lead={tenant} />;
