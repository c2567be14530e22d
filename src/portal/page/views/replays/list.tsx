/** What was sent again because somebody asked, the newest first. */
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { ButtonLink } from "../../parts/button.tsx";
import {
  EndpointLink,
  EndpointSelect,
  useEndpoints,
  type KnownEndpoints,
} from "../../parts/endpoints.tsx";
import { Select } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import type { TenantView } from "../view.ts";
import { ReplayBadge, ReplayProgress } from "./progress.tsx";
import { isOfOne, kindNames, rangeInWords, type ReplayData } from "./words.ts";
import "../deliveries/deliveries.css";

/** A list in which something runs is worth a closer look than others. */
const everyMs = 2_000;

const pageLimit = 50;

const states = ["running", "completed", "cancelled"] as const;
type State = (typeof states)[number];

export const Replays: TenantView = ({ tenant }) => {
  const endpoints = useEndpoints(tenant);
  const [endpoint, setEndpoint] = useFilter("endpoint", "");
  const [asked, setStatus] = useFilter("status", "");
  const status = states.find((state) => state === asked) ?? "";
  return (
    <>
      <PageHead
        title="Replays"
        lead="Deliveries that are made again because somebody asked. A replay is paced, stays behind new events, and survives restarts."
        actions={
          <ButtonLink to={tenantAddresses(tenant).missed()} look="main">
            Find what to replay
          </ButtonLink>
        }
      />
      <div class="stack">
        <div class="filters" role="search" aria-label="Filter replays">
          <EndpointSelect endpoints={endpoints} value={endpoint} onValue={setEndpoint} />
          <Select
            label="Status"
            value={status}
            onValue={setStatus}
            options={[
              ["", "Any status"],
              ["running", "Running"],
              ["completed", "Completed"],
              ["cancelled", "Cancelled"],
            ]}
          />
        </div>
        <h2 class="spoken">All replays</h2>
        <Card flush>
          <List {...{ tenant, endpoints, endpoint, status }} />
        </Card>
      </div>
    </>
  );
};

type ListProps = {
  tenant: string;
  endpoints: KnownEndpoints;
  endpoint: string;
  status: State | "";
};

function List({ tenant, endpoints, endpoint, status }: ListProps) {
  const pages = usePages({
    key: ["replays", tenant, { endpoint, status }],
    load: (cursor, signal) => {
      const query = {
        ...{ tenant, limit: pageLimit },
        ...(endpoint === "" ? {} : { endpoint }),
        ...(status === "" ? {} : { status }),
        ...(cursor === undefined ? {} : { cursor }),
      };
      return read(api.GET("/replays", { params: { query }, signal }));
    },
    everyMs,
    keep: true,
  });
  const { data, error, refetch } = pages;
  if (data === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  const rows = data.pages.flatMap(({ replays }) => replays);
  if (rows.length === 0) {
    return <NoReplays tenant={tenant} isFiltered={endpoint !== "" || status !== ""} />;
  }
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <Table
        caption="Replays, newest first"
        columns={columnsOf(tenant, endpoints)}
        rows={rows}
        rowKey={({ id }) => id}
      />
      <LoadMore {...pages} />
    </>
  );
}

function NoReplays({ tenant, isFiltered }: { tenant: string; isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No replay matches these filters" />;
  return (
    <>
      <Empty title="Nothing was replayed yet">
        A replay starts at a delivery, at a selection of them, or at what an endpoint has missed.
      </Empty>
      <div class="empty-action">
        <ButtonLink to={tenantAddresses(tenant).missed()}>See what was missed</ButtonLink>
      </div>
    </>
  );
}

function columnsOf(tenant: string, endpoints: KnownEndpoints): Column<ReplayData>[] {
  return [
    { name: "Status", cell: (replay) => <ReplayBadge replay={replay} /> },
    {
      name: "What",
      cell: (replay) => (
        <Link href={tenantAddresses(tenant).replay(replay.id)} class="strong">
          {isOfOne(replay) ? "One delivery" : kindNames[replay.deliveries]}
        </Link>
      ),
    },
    {
      name: "Endpoint",
      cell: ({ endpoint }) => <EndpointLink id={endpoint} {...{ tenant, endpoints }} />,
    },
    { name: "Range", cell: (replay) => <span class="soft small">{rangeInWords(replay)}</span> },
    { name: "Progress", cell: (replay) => <ReplayProgress replay={replay} /> },
    {
      name: "Started",
      cell: ({ created_at: at }) => (
        <span class="once">
          <Ago at={at} />
        </span>
      ),
    },
  ];
}
