import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Event: TenantView = ({ tenant }) => <PageHead title="Event" lead={tenant} />;
