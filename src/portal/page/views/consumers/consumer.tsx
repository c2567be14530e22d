import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Consumer: TenantView = ({ tenant }) => <PageHead title="Consumer" lead={tenant} />;
