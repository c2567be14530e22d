/** Finds the place in the log at which an endpoint is to start, or to go on. */
import type { Marks } from "../../feed/marks.ts";
import type { Tenant } from "../../http/auth.ts";
import type { Start } from "../../http/selection.ts";
import type { Position } from "../../log/event.ts";
import type { Filter } from "../../log/filter.ts";

/** Throws for a cursor that a reader could not continue from either. */
export type StartOf = (tenant: Tenant, start: Start, filter: Filter) => Promise<Position>;

export function createStartOf(marks: Marks): StartOf {
  return async (tenant, start, filter) => {
    const started = await marks.start(tenant.id, { filter, start, rebase: true });
    if (start.kind === "cursor") {
      const read = await marks.firstRead(tenant.id, started.mark)(started.mark, 1, 1);
      if (read.kind !== "events") throw await marks.refusal(tenant.id, started.filter, read);
    }
    return started.mark;
  };
}
