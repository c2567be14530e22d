import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Overview: TenantView = ({ tenant }) => <PageHead title="Overview" lead={tenant} />;
