import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Missed: TenantView = ({ tenant }) => <PageHead title="Missed" lead={tenant} />;
