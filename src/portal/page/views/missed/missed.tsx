/** What has not arrived: counts, dead letters, and the walk of one endpoint. */
import { keepPreviousData, useQuery } from "@tanstack/preact-query";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { ButtonLink } from "../../parts/button.tsx";
import { EndpointSelect, useEndpoints, type KnownEndpoints } from "../../parts/endpoints.tsx";
import { Select } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { anyTime } from "../../parts/range.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { liveMs } from "../../query.ts";
import type { Filters } from "../deliveries/filters.ts";
import { loadDeliveries } from "../deliveries/load.ts";
import { DeliveryTable } from "../deliveries/table.tsx";
import type { TenantView } from "../view.ts";
import { ByEndpoint, Totals } from "./counts.tsx";
import { Walk } from "./walk.tsx";
import "./missed.css";

const windows = [
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
] as const;

const usualWindow = "24h";

/** Of dead letters at first: there is a view for all of them. */
const shownLetters = 20;

export const Missed: TenantView = ({ tenant }) => {
  const endpoints = useEndpoints(tenant);
  const [endpoint, setEndpoint] = useFilter("endpoint", "");
  const [asked, setWindow] = useFilter("window", usualWindow);
  const window = windows.find(([key]) => key === asked)?.[0] ?? usualWindow;
  return (
    <>
      <PageHead
        title="Missed"
        lead="What endpoints want and have not got: failed for good, being retried, or waiting behind something. Nothing of it is lost: it can be replayed as long as events are kept."
        actions={<ButtonLink to={tenantAddresses(tenant).replays}>Replays</ButtonLink>}
      />
      <div class="stack">
        <div class="filters" role="search" aria-label="Narrow down what was missed">
          <EndpointSelect endpoints={endpoints} value={endpoint} onValue={setEndpoint} />
          <Select
            label="Counted over events of the"
            value={window}
            onValue={setWindow}
            options={windows}
          />
        </div>
        <Counts {...{ tenant, endpoints, window, endpoint }} />
        {endpoint !== "" && <Walk key={endpoint} {...{ tenant, endpoint }} />}
        <DeadLetters {...{ tenant, endpoints, endpoint }} />
      </div>
    </>
  );
};

type Props = { tenant: string; endpoints: KnownEndpoints; endpoint: string };

function Counts({ tenant, endpoints, endpoint, window }: Props & { window: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["undelivered", tenant, window],
    queryFn: ({ signal }) =>
      read(api.GET("/stats/undelivered", { params: { query: { tenant, window } }, signal })),
    refetchInterval: liveMs,
    placeholderData: keepPreviousData,
  });
  if (data === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <Totals counts={data} endpoint={endpoint} />
      {endpoint === "" && <ByEndpoint counts={data} {...{ tenant, endpoints, window }} />}
    </>
  );
}

function DeadLetters({ tenant, endpoints, endpoint }: Props) {
  const filters: Filters = { endpoint, status: "dead", type: "", event: "", range: anyTime };
  const pages = usePages({
    key: ["deliveries", tenant, filters, shownLetters],
    load: (cursor, signal) =>
      loadDeliveries(tenant, filters, cursor, { signal, limit: shownLetters }),
    everyMs: liveMs,
    keep: true,
  });
  const { data, error, refetch } = pages;
  const deliveries = data?.pages.flatMap((page) => page.deliveries);
  return (
    <Card
      title="Dead letters"
      flush
      actions={
        <ButtonLink small to={tenantAddresses(tenant).deliveries({ status: "dead", endpoint })}>
          All dead letters
        </ButtonLink>
      }
    >
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {deliveries === undefined && error === null && <Loading />}
      {deliveries?.length === 0 && !pages.hasNextPage && (
        <Empty title="There are no dead letters">
          A delivery comes here when all its attempts have failed, or its receiver refused it for
          good.
        </Empty>
      )}
      {deliveries !== undefined && deliveries.length > 0 && (
        <DeliveryTable
          {...{ tenant, deliveries, endpoints }}
          caption="Dead letters, newest events first"
        />
      )}
      <LoadMore {...pages} />
    </Card>
  );
}
