/** The log from some place on, the oldest first, page by page. */
import { useMemo } from "preact/hooks";
import type { Selection } from "../../../../client/page.ts";
import { Button } from "../../parts/button.tsx";
import { readEvents } from "../../parts/events.ts";
import { Loading } from "../../parts/loading.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { EventList } from "./event-list.tsx";
import { rowOf } from "./row.ts";
import { queryOf } from "./selection.ts";

const pageSize = 100;

const hourMs = 3_600_000;

export function PastFeed(props: {
  tenant: string;
  selection: Selection;
  isFiltered: boolean;
  /** `1h`, `earliest`, or a time. */
  from: string;
  onLive: () => void;
}) {
  const { tenant, selection, isFiltered, from, onLive } = props;
  const start = useMemo(
    () => (from === "1h" ? new Date(Date.now() - hourMs).toISOString() : from),
    [from],
  );
  const pages = usePages({
    key: ["events", tenant, start, selection],
    load: (cursor, signal) => {
      const place = cursor === undefined ? { from: start } : { cursor };
      return readEvents({ tenant, limit: pageSize, ...place, ...queryOf(selection) }, signal);
    },
  });
  const { data, error, refetch, hasNextPage } = pages;
  const rows = useMemo(() => data?.pages.flatMap(({ events }) => events.map(rowOf)) ?? [], [data]);
  if (data === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  return (
    <section class="card">
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {rows.length > 0 && (
        <EventList tenant={tenant} rows={rows} caption="Events in the order of the log" />
      )}
      {rows.length === 0 && hasNextPage && (
        <Empty title="Nothing that matches so far">
          Many events were looked through, and the log goes on.
        </Empty>
      )}
      {rows.length === 0 && !hasNextPage && (
        <Empty title={isFiltered ? "No event matches" : "No events"}>
          {isFiltered
            ? "Between this start and now nothing was appended that matches the filters."
            : "Nothing was appended between this start and now."}
        </Empty>
      )}
      <LoadMore {...pages} />
      {!hasNextPage && (
        <div class="card-body row">
          <span class="soft">This is the end of the log.</span>
          <Button small onPress={() => refetch()}>
            Look again
          </Button>
          <Button small onPress={onLive}>
            Follow what comes
          </Button>
        </div>
      )}
    </section>
  );
}
