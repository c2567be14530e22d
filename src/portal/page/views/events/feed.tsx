import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Feed: TenantView = ({ tenant }) => <PageHead title="Feed" lead={tenant} />;
