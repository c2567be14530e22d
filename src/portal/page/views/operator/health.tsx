/** Whether the gateway itself is well, in a few lines. */
import { Link } from "wouter-preact";
import { operator } from "../../addresses.ts";
import type { Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { showCount } from "../../parts/number.ts";
import { Card, Facts } from "../../parts/page.tsx";
import { showDuration } from "../../parts/time.tsx";

type System = Schemas["System"];

export function Health({ system }: { system: System }) {
  return (
    <Card title="Gateway" actions={<Link href={operator.system}>All about the system</Link>}>
      <Facts
        facts={[
          ["Health", <HealthState key="health" system={system} />],
          ["Shards", <Shards key="shards" shards={system.shards} />],
          ["Backlog", backlogOf(system)],
          [
            "Replays",
            system.replays === null ? "not known" : `${showCount(system.replays.running)} running`,
          ],
        ]}
      />
    </Card>
  );
}

export function HealthState({ system }: { system: System }) {
  const { status, degraded } = system.health;
  return (
    <span class="row">
      <Badge state={degraded.length > 0 && status === "ready" ? "degraded" : status} />
      {degraded.map((each) => each.component).join(", ")}
    </span>
  );
}

export function Shards({ shards }: { shards: System["shards"] }) {
  if (shards === null) return <>not known</>;
  const { total, held, unheld } = shards;
  return (
    <span class="row">
      {showCount(held)} of {showCount(total)} held by push processes
      {unheld > 0 && <Badge state="unheld" tone="bad" text={`${showCount(unheld)} unheld`} />}
    </span>
  );
}

function backlogOf({ process: { push } }: System): string {
  if (push === null) return "the process that answers does not push";
  const { backlog_age_seconds: age, slots, slots_used: used } = push;
  const slotsOf = `${showCount(used)} of ${showCount(slots)} slots used`;
  return age === 0 ? `none, ${slotsOf}` : `${showDuration(age * 1_000)} old, ${slotsOf}`;
}
