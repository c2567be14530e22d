import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Limits: TenantView = ({ tenant }) => <PageHead title="Limits" lead={tenant} />;
