import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";

export const Replays: TenantView = ({ tenant }) => <PageHead title="Replays" lead={tenant} />;
