import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Consumers: TenantView = ({ tenant }) => <PageHead title="Consumers" lead={tenant} />;
