import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Keys: TenantView = ({ tenant }) => <PageHead title="Keys" lead={tenant} />;
