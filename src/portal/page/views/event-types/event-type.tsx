import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const EventType: TenantView = ({ tenant }) => <PageHead title="EventType" lead={tenant} />;
