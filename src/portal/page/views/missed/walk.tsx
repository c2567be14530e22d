/** What one endpoint has missed, in order, and what each event waits for. */
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { useEndpoint } from "../../parts/endpoints.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago, useNow } from "../../parts/time.tsx";
import { EventId } from "../deliveries/event-id.tsx";
import { heldInWords, type DeliveryData } from "../deliveries/words.ts";
import { ReplayDialog } from "../replays/replay-dialog.tsx";
import { showSequence } from "../replays/words.ts";
import { waitsFor } from "./waits.ts";

type EventData = Schemas["Event"];
type Row = { readonly event: EventData; readonly delivery: DeliveryData | undefined };

/** Each event costs a request of its own, as the walk does not tell why it is in it. */
const pageLimit = 25;

const atOnce = 5;

const everyMs = 60_000;

export function Walk({ tenant, endpoint }: { tenant: string; endpoint: string }) {
  const [replayed, setReplayed] = useState<"dead" | "missing">();
  return (
    <Card
      title="Missed, in order"
      flush
      actions={
        <>
          <Button small onPress={() => setReplayed("dead")}>
            Replay dead letters
          </Button>
          <Button small look="main" onPress={() => setReplayed("missing")}>
            Replay all missed
          </Button>
        </>
      }
    >
      <Rows tenant={tenant} endpoint={endpoint} />
      {replayed !== undefined && (
        <ReplayDialog
          {...{ tenant, endpoint }}
          initial={{ status: replayed }}
          onClose={() => setReplayed(undefined)}
        />
      )}
    </Card>
  );
}

function Rows({ tenant, endpoint }: { tenant: string; endpoint: string }) {
  const { data: lane } = useEndpoint(tenant, endpoint);
  const pages = usePages({
    key: ["undelivered", tenant, "walk", endpoint],
    load: (cursor, signal) => loadWalk(tenant, endpoint, cursor, signal),
    everyMs,
  });
  const { data, error, refetch } = pages;
  if (data === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  const rows = data.pages.flatMap((page) => page.rows);
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <Held tenant={tenant} lane={lane} />
      {rows.length === 0 && !pages.hasNextPage ? (
        <Empty title="This endpoint has missed nothing">
          Events on their way are not counted as missed: those of the last minute, and those that
          were accepted and whose receipt may still come.
        </Empty>
      ) : (
        <Table
          caption="Events that this endpoint has missed, oldest first"
          columns={columnsOf(tenant, lane)}
          rows={rows}
          rowKey={({ event }) => event.id}
        />
      )}
      <LoadMore {...pages} />
    </>
  );
}

/** Once above all that wait for it. */
function Held({ tenant, lane }: { tenant: string; lane: Schemas["Endpoint"] | undefined }) {
  const now = useNow();
  if (lane === undefined) return null;
  const held = heldInWords(lane, now);
  if (held === undefined) return null;
  return (
    <div class="card-body">
      <div class="note warn">
        <p>
          At the moment {held}. What waits for that needs no replay: it is pushed when the endpoint
          goes on.
        </p>
        <Link href={tenantAddresses(tenant).endpoint(lane.id)}>Go to the endpoint</Link>
      </div>
    </div>
  );
}

async function loadWalk(
  tenant: string,
  endpoint: string,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  const query = { tenant, limit: pageLimit, ...(cursor === undefined ? {} : { cursor }) };
  const params = { path: { id: endpoint }, query };
  const answer = await read(api.GET("/endpoints/{id}/missed", { params, signal }));
  // The path can answer with a bare array too; it was not asked to.
  const page = answer as Schemas["EventPage"];
  const { events } = page;
  const deliveries = new Map<string, DeliveryData>();
  const waiting = events.map(({ id }) => id);
  await Promise.all(Array.from({ length: atOnce }, work));
  const rows = events.map((event): Row => ({ event, delivery: deliveries.get(event.id) }));
  return { rows, cursor: page.cursor, has_more: page.has_more };

  async function work(): Promise<void> {
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      const asked = { tenant, endpoint, event, limit: 1 };
      const found = await read(api.GET("/deliveries", { params: { query: asked }, signal }));
      const [delivery] = found.deliveries;
      if (delivery !== undefined) deliveries.set(event, delivery);
    }
  }
}

function columnsOf(tenant: string, lane: Schemas["Endpoint"] | undefined): Column<Row>[] {
  const to = tenantAddresses(tenant);
  return [
    {
      name: "Sequence",
      number: true,
      cell: ({ event }) => <span class="mono">{showSequence(event.sequence)}</span>,
    },
    {
      name: "Event",
      cell: ({ event, delivery }) => (
        <>
          <Link
            href={delivery === undefined ? to.event(event.id) : to.delivery(delivery.id)}
            class="strong wrap"
          >
            {event.type}
          </Link>
          <EventId id={event.id} />
        </>
      ),
    },
    {
      name: "Subject",
      cell: ({ event }) =>
        event.subject === undefined ? (
          <span class="faint">None</span>
        ) : (
          <bdi class="wrap subject">{event.subject}</bdi>
        ),
    },
    {
      name: "Happened",
      cell: ({ event }) => (
        <span class="once">
          <Ago at={event.time} />
        </span>
      ),
    },
    { name: "Waits for", cell: (row) => <WaitsFor {...{ row, lane }} /> },
  ];
}

function WaitsFor({ row, lane }: { row: Row; lane: Schemas["Endpoint"] | undefined }) {
  const { state, name, words } = waitsFor(row.event, row.delivery, lane, useNow());
  return (
    <div class="waits">
      <Badge state={state} text={name} />
      <bdi class="soft wrap">{words}</bdi>
    </div>
  );
}
