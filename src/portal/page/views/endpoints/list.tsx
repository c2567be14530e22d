/** All endpoints of a tenant, those in trouble first. */
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { Select, TextField } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card, PageHead } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago, showDuration } from "../../parts/time.tsx";
import type { TenantView } from "../view.ts";
import { useEndpoints, type EndpointList, type EndpointView } from "./queries.ts";
import { byTrouble, isInTrouble, stateOf } from "./state.ts";
import "./endpoints.css";

/** More rows at once make a page slow. */
const shownStep = 100;

export const Endpoints: TenantView = ({ tenant }) => {
  const { data, error, refetch } = useEndpoints(tenant);
  const to = tenantAddresses(tenant);
  return (
    <>
      <PageHead
        title="Endpoints"
        lead="Where this tenant's events are pushed to. Each has its own position in the feed, so one that is down holds up no other."
        actions={
          <ButtonLink to={to.newEndpoint} look="main">
            New endpoint
          </ButtonLink>
        }
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data?.endpoints.length === 0 && <NoEndpoints tenant={tenant} />}
      {data !== undefined && data.endpoints.length > 0 && <Listed tenant={tenant} list={data} />}
    </>
  );
};

function NoEndpoints({ tenant }: { tenant: string }) {
  const to = tenantAddresses(tenant);
  return (
    <Card title="The first step">
      <Empty title="No endpoints yet">
        An endpoint is a URL of yours that every event is sent to by POST, signed and tried again
        until it is accepted. Create one, then send a test event to it. Without an endpoint events
        can still be read: by <Link href={to.feed()}>polling or as a stream</Link>.
      </Empty>
      <div class="row centred">
        <ButtonLink to={to.newEndpoint} look="main">
          New endpoint
        </ButtonLink>
      </div>
    </Card>
  );
}

const filters: readonly (readonly [string, string])[] = [
  ["", "All"],
  ["trouble", "In trouble"],
  ["active", "Active"],
  ["paused", "Paused"],
  ["polling", "Polling"],
  ["disabled", "Disabled"],
];

function Listed({ tenant, list }: { tenant: string; list: EndpointList }) {
  const [status, setStatus] = useFilter("status", "");
  const [text, setText] = useFilter("q", "");
  const [shownMax, setShownMax] = useState(shownStep);
  const found = list.endpoints
    .filter((endpoint) => isAsked(endpoint, status) && hasText(endpoint, text))
    .toSorted(byTrouble);
  const troubled = list.endpoints.filter(isInTrouble).length;
  return (
    <div class="stack">
      <div class="filters">
        <Select
          label="Status"
          value={status}
          onValue={setStatus}
          options={filters.map(([value, name]) => [
            value,
            value === "trouble" ? `${name} (${troubled})` : name,
          ])}
        />
        <TextField
          label="Text"
          type="search"
          value={text}
          onValue={setText}
          placeholder="URL, description, id, type"
        />
        <p class="soft count" role="status">
          {countInWords(found.length, list)}
        </p>
      </div>
      <Card flush>
        {found.length === 0 ? (
          <Empty title="None of them">
            {status === "trouble" && text === ""
              ? "No endpoint is disabled, failing, behind, or has an open circuit."
              : "No endpoint is as the filter says."}
          </Empty>
        ) : (
          <Table
            caption="Endpoints, those in trouble first"
            columns={columnsOf(tenant)}
            rows={found.slice(0, shownMax)}
            rowKey={({ id }) => id}
          />
        )}
        {found.length > shownMax && (
          <div class="card-body row">
            <Button onPress={() => setShownMax(shownMax + shownStep)}>Show more</Button>
          </div>
        )}
      </Card>
    </div>
  );
}

function countInWords(found: number, { endpoints, isCut }: EndpointList): string {
  const all = `${showCount(endpoints.length)}${isCut ? " that were made first" : ""}`;
  if (found === endpoints.length) return `${all} ${found === 1 ? "endpoint" : "endpoints"}`;
  return `${showCount(found)} of ${all}`;
}

function columnsOf(tenant: string): Column<EndpointView>[] {
  const to = tenantAddresses(tenant);
  return [
    {
      name: "Endpoint",
      cell: ({ id, url, description }) => (
        <div class="endpoint-name">
          <Link href={to.endpoint(id)} class="url">
            <bdi>{url}</bdi>
          </Link>
          {description !== null && (
            <span class="soft clamp" dir="auto">
              {description}
            </span>
          )}
        </div>
      ),
    },
    { name: "Status", cell: (endpoint) => <Status endpoint={endpoint} /> },
    { name: "Circuit", cell: ({ circuit }) => <Circuit circuit={circuit} /> },
    { name: "Lag", number: true, cell: ({ lag }) => <Lag lag={lag} /> },
    { name: "In flight", number: true, cell: (endpoint) => showCount(endpoint.in_flight) },
    { name: "Retrying", number: true, cell: (endpoint) => showCount(endpoint.retrying) },
    {
      name: "Dead",
      number: true,
      cell: ({ id, dead }) =>
        dead === 0 ? (
          "0"
        ) : (
          <Link href={to.deliveries({ endpoint: id, status: "dead" })} class="bad-text">
            {showCount(dead)}
          </Link>
        ),
    },
    {
      name: "Last success",
      cell: ({ last_success_at: at }) =>
        at === null ? <span class="faint">never</span> : <Ago at={at} />,
    },
  ];
}

function Status({ endpoint }: { endpoint: EndpointView }) {
  const { kind, word, tone, reason } = stateOf(endpoint);
  return (
    <div class="status-cell">
      <Badge state={kind} tone={tone} text={word} />
      {reason !== "" && (
        <span class="soft clamp" dir="auto">
          {reason}
        </span>
      )}
    </div>
  );
}

function Circuit({ circuit }: { circuit: EndpointView["circuit"] }) {
  if (circuit.state === "closed") return <span class="soft">closed</span>;
  return (
    <>
      {circuit.state === "open" ? "open" : "half open"}
      {circuit.next_probe_at !== null && (
        <div class="soft nowrap">
          probe <Ago at={circuit.next_probe_at} />
        </div>
      )}
    </>
  );
}

function Lag({ lag }: { lag: EndpointView["lag"] }) {
  if (lag.events === 0) return <>0</>;
  return (
    <>
      {showCount(lag.events)}
      <div class="soft nowrap">{showDuration(lag.seconds * 1_000)}</div>
    </>
  );
}

function isAsked(endpoint: EndpointView, status: string): boolean {
  if (status === "") return true;
  return status === "trouble" ? isInTrouble(endpoint) : endpoint.status === status;
}

function hasText({ id, url, description, types }: EndpointView, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  const searched = [id, url, description ?? "", ...(types ?? [])];
  return wanted === "" || searched.some((each) => each.toLowerCase().includes(wanted));
}
