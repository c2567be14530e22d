/** The history of a tenant's deliveries, newest first. Its filters stand in the address. */
import { useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { EndpointSelect, useEndpoints, type KnownEndpoints } from "../../parts/endpoints.tsx";
import { Select } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { boundsOf, RangeFields } from "../../parts/range.tsx";
import { SlowField } from "../../parts/slow-field.tsx";
import { liveMs } from "../../query.ts";
import { ReplayDialog } from "../replays/replay-dialog.tsx";
import type { TenantView } from "../view.ts";
import { checkType, isFiltered, useFilters, type Filters } from "./filters.ts";
import { loadDeliveries } from "./load.ts";
import { DeliveryTable } from "./table.tsx";
import { statuses } from "./words.ts";

type Change = (patch: Partial<Filters>) => void;

export const Deliveries: TenantView = ({ tenant }) => {
  const endpoints = useEndpoints(tenant);
  const [filters, change] = useFilters();
  return (
    <>
      <PageHead
        title="Deliveries"
        lead="Each event that was pushed to an endpoint, and what became of it. Newest events first."
      />
      <div class="stack">
        <FilterBar {...{ filters, change, endpoints }} />
        <h2 class="spoken">History</h2>
        <Card flush>
          <List {...{ tenant, filters, change, endpoints }} />
        </Card>
      </div>
    </>
  );
};

function FilterBar(props: { filters: Filters; change: Change; endpoints: KnownEndpoints }) {
  const { filters, change, endpoints } = props;
  return (
    <div class="filters" role="search" aria-label="Filter deliveries">
      <EndpointSelect
        endpoints={endpoints}
        value={filters.endpoint}
        onValue={(endpoint) => change({ endpoint })}
      />
      <Select
        label="Status"
        value={filters.status}
        onValue={(status) => change({ status: status as Filters["status"] })}
        options={[["", "Any status"], ...statuses]}
      />
      <SlowField
        label="Event type"
        placeholder="order.*"
        value={filters.type}
        onValue={(type) => change({ type })}
        check={checkType}
      />
      <SlowField
        label="Event id"
        placeholder="evt_…"
        value={filters.event}
        onValue={(event) => change({ event })}
      />
      <RangeFields value={filters.range} onValue={(range) => change({ range })} />
      {isFiltered(filters) && (
        <Button look="quiet" onPress={() => change(cleared)}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

const cleared: Filters = {
  ...{ endpoint: "", status: "", type: "", event: "" },
  range: { last: "", since: "", until: "" },
};

type ListProps = {
  tenant: string;
  filters: Filters;
  change: Change;
  endpoints: KnownEndpoints;
};

function List({ tenant, filters, change, endpoints }: ListProps) {
  const pages = usePages({
    key: ["deliveries", tenant, filters],
    load: (cursor, signal) => loadDeliveries(tenant, filters, cursor, { signal }),
    everyMs: liveMs,
    keep: true,
  });
  const { data, error, refetch } = pages;
  if (data === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  const deliveries = data.pages.flatMap((page) => page.deliveries);
  if (deliveries.length === 0 && !pages.hasNextPage) {
    return <NothingHere {...{ tenant, filters, change }} />;
  }
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <DeliveryTable
        {...{ tenant, deliveries, endpoints }}
        caption="Deliveries, newest events first"
        actions={<ReplayMatching {...{ tenant, filters }} />}
      />
      <LoadMore {...pages} />
    </>
  );
}

function NothingHere({ tenant, filters, change }: Omit<ListProps, "endpoints">) {
  if (isFiltered(filters)) {
    return (
      <>
        <Empty title="No delivery matches these filters">
          An event that an endpoint has not come to yet is not listed here either.
        </Empty>
        <div class="empty-action">
          <Button onPress={() => change(cleared)}>Clear filters</Button>
        </div>
      </>
    );
  }
  return (
    <>
      <Empty title="Nothing was pushed yet">
        Once there is an endpoint, and an event that it wants, the delivery shows up here within a
        moment.
      </Empty>
      <div class="empty-action">
        <ButtonLink to={tenantAddresses(tenant).newEndpoint} look="main">
          Add an endpoint
        </ButtonLink>
      </div>
    </>
  );
}

/** A replay is of one endpoint, and of dead letters or of everything: the rest it cannot express. */
function ReplayMatching({ tenant, filters }: { tenant: string; filters: Filters }) {
  const [isOpen, setOpen] = useState(false);
  const why = whyNot(filters);
  if (why !== undefined) return <span class="soft small">{why}</span>;
  const { endpoint, status, type, range } = filters;
  const initial = {
    status: status === "dead" ? ("dead" as const) : ("all" as const),
    ...boundsOf(range, Date.now()),
    ...(type === "" ? {} : { types: [type] }),
  };
  return (
    <>
      <Button small onPress={() => setOpen(true)}>
        Replay all that match
      </Button>
      {isOpen && <ReplayDialog {...{ tenant, endpoint, initial }} onClose={() => setOpen(false)} />}
    </>
  );
}

function whyNot({ endpoint, status, event }: Filters): string | undefined {
  if (event !== "") return "Of one event: select the deliveries to replay.";
  if (endpoint === "") return "To replay all that match, choose an endpoint.";
  if (status === "" || status === "dead") return undefined;
  return "All that match can be replayed for any status, or for dead letters.";
}
