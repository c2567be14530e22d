/** What an endpoint matched and has not received, in order, and what each event waits for. */
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago, useNow } from "../../parts/time.tsx";
import { ReplayDialog } from "../replays/replay-dialog.tsx";
import type { EndpointView } from "./queries.ts";
import { obstacleInWords } from "./state.ts";

type Props = { tenant: string; endpoint: EndpointView };
type Event = Schemas["Event"];

/** Why an event waits is one question each, so few at once. */
const pageSize = 20;

export function MissedTab({ tenant, endpoint }: Props) {
  const { id } = endpoint;
  const [isAsking, setAsking] = useState(false);
  const pages = usePages({
    key: ["missed", tenant, { endpoint: id, walk: pageSize }],
    load: (cursor, signal) => {
      const query = { tenant, limit: pageSize, ...(cursor !== undefined && { cursor }) };
      const params = { path: { id }, query };
      // The other form is for who asks for CloudEvents.
      type Page = Schemas["EventPage"];
      return read(api.GET("/endpoints/{id}/missed", { params, signal })) as Promise<Page>;
    },
  });
  const { data, error, refetch, isFetching } = pages;
  const events = data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Card
      flush
      title="Missed events"
      actions={
        <>
          <Button small disabled={isFetching} onPress={() => refetch()}>
            Walk again
          </Button>
          <Button small onPress={() => setAsking(true)}>
            Replay …
          </Button>
        </>
      }
    >
      <p class="card-body soft">
        In order: retries, dead letters, receipts that did not come, and what waits while nothing is
        pushed. What is delivered in the meantime is left out; walk again to be sure.
      </p>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && events.length === 0 && !pages.hasNextPage && (
        <Empty title="Nothing is missed">
          Everything that matched this endpoint was delivered, or is on its way right now.
        </Empty>
      )}
      {events.length > 0 && <MissedTable {...{ tenant, endpoint, events }} />}
      <LoadMore {...pages} />
      {isAsking && (
        <ReplayDialog
          {...{ tenant, endpoint: id, initial: { status: "missing" } }}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}

function MissedTable({ tenant, endpoint, events }: Props & { events: readonly Event[] }) {
  const to = tenantAddresses(tenant);
  return (
    <Table
      caption="Events that the endpoint has not received, the oldest first"
      rows={events}
      rowKey={({ id }) => id}
      columns={[
        { name: "Sequence", number: true, cell: ({ sequence }) => showCount(Number(sequence)) },
        {
          name: "Event",
          cell: ({ id, type, subject }) => (
            <>
              <Link href={to.event(id)}>
                <bdi>{type}</bdi>
              </Link>
              {subject !== undefined && (
                <div class="soft clamp">
                  <bdi>{subject}</bdi>
                </div>
              )}
            </>
          ),
        },
        { name: "Happened", cell: ({ time }) => <Ago at={time} /> },
        {
          name: "Why",
          cell: (event) => <WaitsFor {...{ tenant, endpoint, event }} />,
        },
      ]}
    />
  );
}

function WaitsFor({ tenant, endpoint, event }: Props & { event: Event }) {
  const { data, error } = useQuery({
    queryKey: ["deliveries", tenant, { event: event.id, endpoint: endpoint.id }],
    queryFn: ({ signal }) => {
      const query = { tenant, event: event.id, endpoint: endpoint.id };
      return read(api.GET("/deliveries", { params: { query }, signal }));
    },
    staleTime: 10_000,
  });
  if (error !== null) return <span class="bad-text">{error.message}</span>;
  if (data === undefined) return <span class="faint">…</span>;
  const [delivery] = data.deliveries;
  if (delivery === undefined) return <>{obstacleInWords(endpoint)}.</>;
  return (
    <div class="status-cell">
      <Link href={tenantAddresses(tenant).delivery(delivery.id)}>
        <Badge state={delivery.status} />
      </Link>
      <span class="soft">
        <DeliveryInWords delivery={delivery} endpoint={endpoint} />
      </span>
    </div>
  );
}

function DeliveryInWords(props: { delivery: Schemas["Delivery"]; endpoint: EndpointView }) {
  const { delivery, endpoint } = props;
  const { status, next_attempt_at: next, last_error: lastError, attempts } = delivery;
  const tried = `${showCount(attempts)} ${attempts === 1 ? "attempt" : "attempts"}`;
  const last = lastError === null ? "" : `: ${lastError}`;
  switch (status) {
    case "retrying":
      return (
        <>
          {next !== null && <Next at={next} endpoint={endpoint} />} <bdi>{`${tried}${last}`}</bdi>
        </>
      );
    case "dead":
      return <bdi>{`Given up; a replay tries it again. ${tried}${last}`}</bdi>;
    case "awaiting_receipt":
      return <>Accepted, and waits for a receipt of its consumer.</>;
    case "delivered":
    case "settled":
      return <>It came meanwhile.</>;
    case "expired":
    case "skipped":
      return <>Not pushed any more, unless by a replay.</>;
  }
}

function Next({ at, endpoint }: { at: string; endpoint: EndpointView }) {
  const isDue = Date.parse(at) <= useNow();
  if (isDue) return <>{obstacleInWords(endpoint)}.</>;
  return (
    <>
      Tried again <Ago at={at} />.
    </>
  );
}
