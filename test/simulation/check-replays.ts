/** What became of the replays, against the log, the attempts that are told and the receivers' notes. */
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { replayUuid } from "../../src/deliveries/replays.ts";
import { ask } from "./check-confirmed.ts";
import type { Hook } from "./receivers.ts";
import type { Asked } from "./replayers.ts";
import { matchingOf, type StoredLog } from "./stored-log.ts";
import type { World } from "./world.ts";

type Shown = {
  id: string;
  endpoint: string;
  deliveries: "dead" | "missing" | "all";
  after: string;
  through: string;
  status: string;
  total: number | null;
  sent: number;
  failed: number;
};

/** Of one tenant; what was asked without an answer may be there too. */
export async function checkReplays(
  world: World,
  tenant: string,
  log: StoredLog,
  asked: readonly Asked[],
): Promise<void> {
  const shown: Shown[] = [];
  for (let cursor = "", hasMore = true; hasMore;) {
    const path = `/replays?tenant=${tenant}&limit=1000${cursor}`;
    const page = await ask<{ replays: Shown[]; cursor: string; has_more: boolean }>(world, path);
    shown.push(...page.replays);
    cursor = `&cursor=${page.cursor}`;
    hasMore = page.has_more;
  }
  const known = new Set(shown.map(({ id }) => id));
  for (const { id, tenant: its } of asked) {
    if (its === tenant && !known.has(id)) world.violations.report("replays", `${id} is not there`);
  }
  for (const replay of shown) {
    const hook = world.hooks.find(({ id }) => id === replay.endpoint);
    if (hook === undefined) throw new Error("unreachable");
    const position = asked.find(({ id }) => id === replay.id)?.position;
    await checkReplay(world, hook, replay, { log, position });
  }
}

async function checkReplay(
  { sql, violations }: World,
  hook: Hook,
  replay: Shown,
  { log, position = 0 }: { log: StoredLog; position: number | undefined },
): Promise<void> {
  const { id, deliveries, status, total, sent, failed } = replay;
  const [after, through] = [Number(replay.after), Number(replay.through)];
  const rows = await sql<{ sequence: number }[]>`
    select distinct sequence from attempts
    where endpoint = ${endpointUuid(hook.id) ?? ""} and replay = ${replayUuid(id) ?? ""}`;
  const attempted = new Set(rows.map(({ sequence }) => sequence));
  const accepted = hook.replayed.get(id)?.size ?? 0;
  const broken = (what: string) =>
    violations.report(
      "replays",
      `${hook.name}: ${deliveries} of ${after}..${through} (${id}): ${sent} sent, ${failed} failed: ${what}`,
    );
  if (status !== "completed") return broken(`it is ${status}`);
  if (total !== sent + failed) broken(`total ${total}`);
  if (sent > accepted) broken(`${accepted} were accepted`);
  if (sent + failed !== attempted.size) broken(`${attempted.size} were attempted`);
  // What the endpoint had not come to when it was asked may be pushed anyway.
  if (deliveries !== "all" || through > position) return;
  const range = matchingOf(log, hook.types).filter((at) => at > after && at <= through);
  const without = range.filter((sequence) => !attempted.has(sequence));
  if (without.length > 0) broken(`${without.slice(0, 5).join()} never went out`);
  if (range.length !== total) broken(`there are ${range.length}`);
}
