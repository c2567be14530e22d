import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Signatures: TenantView = ({ tenant }) => <PageHead title="Signatures" lead={tenant} />;
