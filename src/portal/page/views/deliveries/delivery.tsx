import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Delivery: TenantView = ({ tenant }) => <PageHead title="Delivery" lead={tenant} />;
