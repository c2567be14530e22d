/** How attempts have gone over time. */
import { keepPreviousData, useQuery } from "@tanstack/preact-query";
import { useMemo } from "preact/hooks";
import { api, read, type Schemas } from "../../api.ts";
import { Chart } from "../../parts/chart.tsx";
import { Select } from "../../parts/field.tsx";
import { FilterText, typesFault, useFilter } from "../../parts/filter.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount, showMany, showShare, showShort } from "../../parts/number.ts";
import { Card, Stats } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { showDuration } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import type { Window } from "./windows.ts";

type Series = Schemas["DeliverySeries"];

export function Course({ tenant, window }: { tenant: string; window: Window }) {
  const [endpoint, setEndpoint] = useFilter("endpoint");
  const [type, setType] = useFilter("type");
  const { data, error, refetch } = useQuery({
    queryKey: ["series", tenant, window.name, endpoint, type],
    queryFn: ({ signal }) => {
      const filter = { ...(endpoint !== "" && { endpoint }), ...(type !== "" && { type }) };
      const query = { tenant, window: window.name, step: window.step, ...filter };
      return read(api.GET("/stats/deliveries", { params: { query }, signal }));
    },
    refetchInterval: liveMs,
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <div class="course-head">
        <h2>Attempts of {window.text}</h2>
        <div class="filters">
          <EndpointChoice tenant={tenant} value={endpoint} onValue={setEndpoint} />
          <FilterText
            label="Type"
            placeholder="order.*"
            value={type}
            onValue={setType}
            fault={(text) => (text.includes(",") ? "One type at a time" : typesFault(text))}
          />
        </div>
      </div>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <>
          <Tiles {...data.totals} />
          <Card title="Attempts over time">
            <AttemptChart series={data} window={window} />
          </Card>
          <Card title="Latency of endpoints">
            <LatencyChart series={data} window={window} />
          </Card>
        </>
      )}
    </>
  );
}

function EndpointChoice(props: {
  tenant: string;
  value: string;
  onValue: (endpoint: string) => void;
}) {
  const { tenant, value, onValue } = props;
  const { data } = useQuery({
    queryKey: ["endpoints", tenant, "choice"],
    queryFn: ({ signal }) =>
      read(api.GET("/endpoints", { params: { query: { tenant, limit: 1_000 } }, signal })),
    staleTime: 60_000,
  });
  const listed = (data?.endpoints ?? []).map(({ id, url }) => [id, url] as const);
  const isListed = value === "" || listed.some(([id]) => id === value);
  return (
    <Select
      label="Endpoint"
      value={value}
      onValue={onValue}
      options={[["", "All endpoints"], ...listed, ...(isListed ? [] : [[value, value] as const])]}
    />
  );
}

function Tiles({
  count,
  failures,
  retries,
  queue_ms: queue,
  latency_ms: latency,
}: Series["totals"]) {
  const none = "No attempts";
  return (
    <Stats
      stats={[
        {
          label: "Accepted",
          value: count === 0 ? "–" : showShare((count - failures) / count),
          note: count === 0 ? none : `${showCount(failures)} failed`,
          bad: count > 0 && failures / count > 0.5,
        },
        {
          label: "Attempts",
          value: showShort(count),
          note: `${showCount(retries)} of them repeated`,
        },
        {
          label: "Latency of endpoints, median",
          value: msOf(latency.p50),
          note: latency.p95 === null ? none : `95 % within ${msOf(latency.p95)}`,
        },
        {
          label: "Time in the queue, 95 %",
          value: msOf(queue.p95),
          note: queue.p50 === null ? none : `half within ${msOf(queue.p50)}`,
        },
      ]}
    />
  );
}

type ChartOf = { series: Series; window: Window };

function AttemptChart({ series: shown, window }: ChartOf) {
  const { starts, stepMs } = useSteps(shown);
  const series = useMemo(
    () => [
      {
        ...{ name: "Accepted", color: "--accent" as const },
        values: shown.series.map(({ count, failures }) => count - failures),
      },
      {
        ...{ name: "Failed", color: "--bad" as const },
        values: shown.series.map(({ failures }) => failures),
      },
    ],
    [shown],
  );
  const { count, failures } = shown.totals;
  const summary =
    count === 0
      ? `No attempts in ${window.text}.`
      : `${showMany(count, "attempt")} in ${window.text}; ${showCount(failures)} failed.`;
  const title = "Attempts over time";
  return <Chart kind="bars" show={showShort} {...{ title, summary, starts, stepMs, series }} />;
}

function LatencyChart({ series: shown, window }: ChartOf) {
  const { starts, stepMs } = useSteps(shown);
  const series = useMemo(() => {
    const of = (name: "p50" | "p95" | "p99") =>
      shown.series.map(({ latency_ms: latency }) => latency[name]);
    return [
      { name: "p50", color: "--accent" as const, values: of("p50") },
      { name: "p95", color: "--info" as const, dash: [7, 4], values: of("p95") },
      { name: "p99", color: "--warn" as const, dash: [2, 3], values: of("p99") },
    ];
  }, [shown]);
  const { p50, p95, p99 } = shown.totals.latency_ms;
  const summary =
    p50 === null
      ? `No attempts in ${window.text}.`
      : `Half of the attempts took no longer than ${msOf(p50)}, 95 % no longer than ${msOf(p95)}, ` +
        `99 % no longer than ${msOf(p99)}.`;
  const title = "Latency of endpoints";
  return <Chart kind="lines" show={showDuration} {...{ title, summary, starts, stepMs, series }} />;
}

function useSteps(shown: Series) {
  return useMemo(
    () => ({
      starts: shown.series.map(({ at }) => Date.parse(at)),
      stepMs: shown.step_seconds * 1_000,
    }),
    [shown],
  );
}

function msOf(ms: number | null): string {
  return ms === null ? "–" : showDuration(ms);
}
