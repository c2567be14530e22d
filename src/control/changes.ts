/**
 * How processes hear of what was changed in one of them. A change is told on the shard of its
 * tenant, to those that serve it, and once more on a shard that every process listens to, for what
 * each remembers. Like all frames it may get lost: what is remembered also ends by itself.
 */
import type { Fanout } from "../fanout/fanout.ts";
import type { Change } from "./directory.ts";

/** Every number of shards has it. */
const sharedShard = 0;

export function announceChange(fanout: Fanout, change: Change): void {
  const shared: Change = { what: change.what, shard: sharedShard, tenant: null };
  // Endpoints are remembered only where their shard is driven; what belongs to no tenant has none.
  const changes =
    change.what === "endpoints" ? [change] : change.tenant === null ? [shared] : [change, shared];
  fanout.publish(changes.map((each) => ({ kind: "changed", ...each })));
}

/** Tells of changes of this process too. Returns the end of it. */
export function hearChanges(fanout: Fanout, tell: (what: Change["what"]) => void): () => void {
  return fanout.subscribe(sharedShard, (frame) => {
    if (frame.kind === "changed" && frame.tenant === null) tell(frame.what);
  });
}
