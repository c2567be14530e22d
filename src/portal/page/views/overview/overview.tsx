/** What a customer wants to know first: is anything not delivered, and how has it been going? */
import { useQuery } from "@tanstack/preact-query";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { ButtonLink } from "../../parts/button.tsx";
import { readEvents } from "../../parts/events.ts";
import { useFilter } from "../../parts/filter.tsx";
import { Loading } from "../../parts/loading.tsx";
import { PageHead } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { liveMs } from "../../query.ts";
import type { TenantView } from "../view.ts";
import { Guide } from "./guide.tsx";
import "./overview.css";
import { Course } from "./course.tsx";
import { UndeliveredNow, useUndelivered } from "./undelivered.tsx";
import { windowOf, windows } from "./windows.ts";

export const Overview: TenantView = ({ tenant }) => {
  const to = tenantAddresses(tenant);
  const [chosen, setWindow] = useFilter("window", "24h");
  const window = windowOf(chosen);
  const { data, error, refetch } = useBeginnings(tenant);
  // Not only once it is known that there is something to show: this is what people come for.
  const asked = useUndelivered(tenant, window);
  const isNew = data !== undefined && !data.hasEvents;
  return (
    <>
      <PageHead
        title="Overview"
        lead={`What happens to the events of ${tenant}.`}
        actions={
          isNew ? undefined : (
            <>
              <WindowSwitch window={window.name} onWindow={setWindow} />
              <ButtonLink to={to.feed()}>Live feed</ButtonLink>
            </>
          )
        }
      />
      {data === undefined &&
        (error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />)}
      {isNew && <Guide tenant={tenant} hasEndpoints={data.hasEndpoints} />}
      {data?.hasEvents === true && (
        <div class="stack overview">
          <UndeliveredNow {...{ tenant, window, asked }} hasEndpoints={data.hasEndpoints} />
          <Course tenant={tenant} window={window} />
        </div>
      )}
    </>
  );
};

/** Whether anything has been set up yet; asked until there are events, and then no more. */
function useBeginnings(tenant: string) {
  return useQuery({
    queryKey: ["beginnings", tenant],
    queryFn: async ({ signal }) => {
      const query = { tenant, limit: 1 };
      const [events, endpoints] = await Promise.all([
        readEvents(query, signal),
        read(api.GET("/endpoints", { params: { query }, signal })),
      ]);
      // A page may be empty where what it looked through has expired meanwhile.
      const hasEvents = events.events.length > 0 || events.has_more;
      return { hasEvents, hasEndpoints: endpoints.endpoints.length > 0 };
    },
    refetchInterval: ({ state }) => (state.data?.hasEvents === true ? false : liveMs),
  });
}

function WindowSwitch(props: { window: string; onWindow: (window: string) => void }) {
  return (
    <div class="switch" role="group" aria-label="How far to look back">
      {windows.map(({ name, text }) => (
        <button
          key={name}
          type="button"
          class="button small"
          aria-pressed={name === props.window}
          title={text}
          onClick={() => props.onWindow(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
