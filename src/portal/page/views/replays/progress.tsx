/** The progress of a replay, as lists and its own page show it. */
import { Badge } from "../../parts/badge.tsx";
import { showCount } from "../../parts/number.ts";
import { Progress } from "../../parts/progress.tsx";
import { howFar, kindNames, type ReplayData } from "./words.ts";
import "./replays.css";

export function ReplayBadge({ replay }: { replay: ReplayData }) {
  const { status, waiting_for: waiting, failed } = replay;
  if (status === "running" && waiting !== null) {
    return <Badge state="waiting" tone="warn" text="Waiting" />;
  }
  if (status !== "completed") return <Badge state={status} />;
  return <Badge state={status} tone={failed > 0 ? "warn" : "ok"} />;
}

export function ReplayProgress({ replay }: { replay: ReplayData }) {
  const { share, words } = howFar(replay);
  const name = `Progress of the replay of ${kindNames[replay.deliveries].toLowerCase()}`;
  return (
    <div class="replay-progress">
      {replay.status === "running" && <Progress {...{ name, share, words }} />}
      <span class="small">
        {words}
        {replay.failed > 0 && (
          <span class="bad-text">, {showCount(replay.failed)} not accepted</span>
        )}
      </span>
    </div>
  );
}
