/** Events as they come, the newest on top. */
import { useSyncExternalStore } from "preact/compat";
import { useEffect, useMemo } from "preact/hooks";
import type { Selection } from "../../../../client/page.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { showCount } from "../../parts/number.ts";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { showDuration, useNow } from "../../parts/time.tsx";
import { clockText } from "./clock.ts";
import { EventList } from "./event-list.tsx";
import { createLive, rowsMax, type LiveState, type LiveView } from "./live.ts";

export function LiveFeed(props: {
  tenant: string;
  selection: Selection;
  isFiltered: boolean;
  onPast: () => void;
}) {
  const { tenant, selection, isFiltered, onPast } = props;
  const live = useMemo(() => createLive(tenant, selection), [tenant, selection]);
  const view = useSyncExternalStore(live.subscribe, live.view);
  useEffect(() => {
    const controller = new AbortController();
    void live.run(controller.signal);
    return () => controller.abort();
  }, [live]);
  const { state, rows, held } = view;
  if (state.kind === "failed") return <ProblemNote error={state.error} />;
  return (
    <section class="card">
      <div class="card-head">
        <State state={state} isPaused={held !== undefined} />
        <div class="row">
          <Came {...view} />
          {held === undefined ? (
            <Button small onPress={live.pause}>
              Pause
            </Button>
          ) : (
            <Button small look="main" onPress={live.resume}>
              Continue
            </Button>
          )}
        </div>
      </div>
      {rows.length === 0 ? (
        <Empty title={isFiltered ? "Nothing that matches has come yet" : "Nothing has come yet"}>
          Events stand here as soon as they are appended.{" "}
          <Button look="quiet" onPress={onPast}>
            Show the last hour
          </Button>
        </Empty>
      ) : (
        // A row that somebody reads must not be carried away.
        <EventList tenant={tenant} rows={rows} caption="The newest events" onOpen={live.pause} />
      )}
    </section>
  );
}

function State({ state, isPaused }: { state: LiveState; isPaused: boolean }) {
  return (
    <span class="row" role="status">
      {isPaused && <Badge state="paused" />}
      {state.kind === "connecting" && <Badge state="connecting" text="Connecting …" />}
      {state.kind === "live" && !isPaused && <Badge state="live" tone="ok" />}
      {state.kind === "live" && state.polls && (
        <span class="soft">No stream gets through, so it is polled.</span>
      )}
      {state.kind === "reconnecting" && (
        <>
          <Badge state="reconnecting" />
          <span class="soft">
            for <Elapsed since={state.since} />: <bdi>{state.why}</bdi>. Nothing is missed: it goes
            on where it was cut.
          </span>
        </>
      )}
    </span>
  );
}

function Elapsed({ since }: { since: string }) {
  return <>{showDuration(Math.max(0, useNow() - Date.parse(since)))}</>;
}

function Came({ rows, received, since, held }: LiveView) {
  if (held !== undefined) {
    return <span class="soft">{held === 0 ? "None" : showCount(held)} came meanwhile</span>;
  }
  if (received === 0) return null;
  return (
    <span class="soft">
      {showCount(received)} came since {clockText(since)}
      {received > rows.length && `; the newest ${showCount(rowsMax)} are shown`}
    </span>
  );
}
