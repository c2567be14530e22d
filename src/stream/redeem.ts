/**
 * What a ticket is good for. It stands in a URL, and URLs end up in logs, so having it must not be
 * enough for long: it opens one stream within a minute, and after that it takes a cursor that this
 * stream has told, which is in no URL.
 *
 * A cursor does not say which stream told it: any of the ticket's filter will do that does not lie
 * before where the stream began. Whoever has one of those was allowed to read there.
 */
import type { Mark, Marks } from "../feed/marks.ts";
import { unauthorized, type Tenant, type Ticket } from "../http/auth.ts";
import type { Selection } from "../http/selection.ts";

/** Throws 401 unless the ticket opens this stream now, or has opened it before. */
export async function redeem(
  ticket: Ticket,
  wanted: {
    marks: Marks;
    tenant: Tenant;
    selection: Selection;
    mark: Mark;
    again: boolean;
  },
): Promise<void> {
  const { selection, mark, again } = wanted;
  const from = again ? await ticket.reconnectsFrom() : undefined;
  if (from !== undefined) {
    if (mark.sequence >= from && isOfReader(wanted)) return;
    throw unauthorized("the Last-Event-ID is not of the stream that the ticket has opened");
  }
  // A cursor in the query is where the ticket is: in the URL. Only later ones tell who has read.
  const isInUrl = selection.start.kind === "cursor" && !again;
  if (await ticket.open(mark.sequence + Number(isInUrl))) return;
  throw unauthorized(
    "the ticket has opened its stream, or a minute has passed since it was made: get another one",
  );
}

/** Cursors of pushes fit every filter, but no stream tells them. */
function isOfReader({ marks, tenant, selection }: Parameters<typeof redeem>[1]): boolean {
  const { start, filter } = selection;
  return start.kind === "cursor" && marks.isOfReader(tenant.id, start.cursor, filter);
}
