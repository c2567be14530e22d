import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const EventTypes: TenantView = ({ tenant }) => <PageHead title="EventTypes" lead={tenant} />;
