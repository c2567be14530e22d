/** What an operator looks at first: what is undelivered, whom it concerns, and what is not well. */
import { keepPreviousData, useQuery } from "@tanstack/preact-query";
import { api, read, type Schemas } from "../../api.ts";
import { Select } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount, showShort } from "../../parts/number.ts";
import { Card, PageHead, Stats } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import { Failing } from "./failing.tsx";
import { Health } from "./health.tsx";
import { EndpointState } from "../../parts/endpoints.tsx";
import { EndpointLink, TenantLink } from "./links.tsx";
import { SearchBox } from "./search-box.tsx";
import { useSystem } from "./use-system.ts";

const windows = [
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
] as const;

/** Endpoints listed; the worst ones stand first, and search finds any. */
const endpointsMax = 20;

export function OperatorOverview() {
  const [window, setWindow] = useFilter("window", "1h");
  const undelivered = useQuery({
    queryKey: ["undelivered", null, window],
    queryFn: ({ signal }) => {
      const query = { window, limit: endpointsMax };
      return read(api.GET("/stats/undelivered", { params: { query }, signal }));
    },
    refetchInterval: liveMs,
    placeholderData: keepPreviousData,
  });
  const system = useSystem();
  return (
    <div class="stack">
      <PageHead
        title="Overview"
        lead="All tenants: what has not arrived, and what is not well."
        actions={
          <Select label="Appended in" value={window} onValue={setWindow} options={windows} />
        }
      />
      <SearchBox />
      {undelivered.error !== null && (
        <ProblemNote error={undelivered.error} retry={undelivered.refetch} />
      )}
      {undelivered.data === undefined ? (
        undelivered.error === null && <Loading />
      ) : (
        <Undelivered found={undelivered.data} />
      )}
      {system.error !== null && <ProblemNote error={system.error} retry={system.refetch} />}
      {system.data !== undefined && (
        <>
          <Failing endpoints={system.data.endpoints} />
          <Health system={system.data} />
        </>
      )}
    </div>
  );
}

function Undelivered({ found }: { found: Schemas["Undelivered"] }) {
  const { exact, at_most: atMost } = found;
  return (
    <>
      <Stats
        stats={[
          {
            label: exact ? "Events undelivered" : "Events undelivered, at least",
            value: showShort(found.undelivered),
            note:
              exact || atMost === undefined
                ? `at ${found.endpoints_total === 1 ? "1 endpoint" : `${showCount(found.endpoints_total)} endpoints`}`
                : `at most ${showCount(atMost)} deliveries; a shorter window can be counted exactly`,
            bad: found.undelivered > 0,
          },
          { label: "Retrying", value: showShort(found.retrying), note: "failed, tried again" },
          { label: "Waiting", value: showShort(found.waiting), note: "not attempted yet" },
          {
            label: "Dead",
            value: showShort(found.dead),
            note: "not tried again",
            bad: found.dead > 0,
          },
        ]}
      />
      <Card title="Where events are missing" flush>
        {found.endpoints.length === 0 ? (
          <Empty title="Everything has arrived">
            Each event of this window is at every endpoint that it matches.
          </Empty>
        ) : (
          <Table
            caption="Endpoints with undelivered events, those with the most first"
            rows={found.endpoints}
            rowKey={({ id }) => id}
            columns={[
              { name: "Endpoint", cell: (row) => <EndpointLink {...row} /> },
              { name: "Tenant", cell: ({ tenant }) => <TenantLink tenant={tenant} /> },
              {
                name: "State",
                cell: ({ status, circuit }) => <EndpointState status={status} circuit={circuit} />,
              },
              { name: "Retrying", number: true, cell: ({ retrying }) => showCount(retrying) },
              { name: "Waiting", number: true, cell: ({ waiting }) => showCount(waiting) },
              { name: "Dead", number: true, cell: ({ dead }) => showCount(dead) },
              {
                name: "Oldest",
                cell: ({ oldest_at: at }) => (at === null ? "" : <Ago at={at} />),
              },
            ]}
          />
        )}
      </Card>
    </>
  );
}
