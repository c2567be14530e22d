import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Replay: TenantView = ({ tenant }) => <PageHead title="Replay" lead={tenant} />;
