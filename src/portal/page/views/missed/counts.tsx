/** How much has not arrived, in all and of each endpoint. */
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import type { Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { EndpointLink, EndpointState, type KnownEndpoints } from "../../parts/endpoints.tsx";
import { showCount } from "../../parts/number.ts";
import { Card, Stats } from "../../parts/page.tsx";
import { Empty } from "../../parts/problem.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { ReplayDialog } from "../replays/replay-dialog.tsx";

type Undelivered = Schemas["Undelivered"];
type OfEndpoint = Undelivered["endpoints"][number];

/** Of all endpoints, or of the one of this id. */
export function Totals({ counts, endpoint }: { counts: Undelivered; endpoint: string }) {
  if (endpoint === "") return <Tiles counts={counts} undelivered={counts.undelivered} />;
  const of = counts.endpoints.find(({ id }) => id === endpoint) ?? nothing;
  // Those that are not told of have less than all that are.
  const isTold = of !== nothing || counts.endpoints_total <= counts.endpoints.length;
  return isTold ? <Tiles counts={of} undelivered={of.deliveries} /> : null;
}

type Counts = Pick<
  OfEndpoint,
  "exact" | "deliveries" | "retrying" | "dead" | "waiting" | "awaiting_receipt"
>;

const nothing: Counts = {
  ...{ exact: true, deliveries: 0, retrying: 0, dead: 0, waiting: 0, awaiting_receipt: 0 },
};

function Tiles({ counts, undelivered }: { counts: Counts; undelivered: number }) {
  const { exact, retrying, dead, waiting, awaiting_receipt: receipts } = counts;
  const show = (count: number) => (exact ? showCount(count) : `≥ ${showCount(count)}`);
  return (
    <Stats
      stats={[
        {
          label: "Undelivered events",
          value: show(undelivered),
          note: exact ? "Each once, however many endpoints" : "At least: a shorter time is exact",
        },
        {
          label: "Retrying",
          value: show(retrying),
          note: receipts > 0 ? `${show(receipts)} wait for a receipt` : "Tried again by themselves",
        },
        {
          label: "Dead letters",
          value: show(dead),
          note: "Sent again only by a replay",
          bad: dead > 0,
        },
        { label: "Not attempted yet", value: show(waiting), note: "Waiting behind an endpoint" },
      ]}
    />
  );
}

type TableProps = {
  tenant: string;
  counts: Undelivered;
  endpoints: KnownEndpoints;
  /** Of the search of this address. */
  window: string;
};

export function ByEndpoint({ tenant, counts, endpoints, window }: TableProps) {
  const [replayed, setReplayed] = useState<string>();
  const { endpoints: rows, endpoints_total: total } = counts;
  return (
    <Card title="By endpoint" flush>
      {rows.length === 0 ? (
        <Empty title="Everything has arrived">
          Every event of this time was delivered to all endpoints that want it.
        </Empty>
      ) : (
        <Table
          caption="Endpoints that have something undelivered, those with the most first"
          columns={[
            ...columnsOf(tenant, endpoints),
            {
              name: "",
              cell: ({ id }) => <RowActions {...{ tenant, id, window }} onReplay={setReplayed} />,
            },
          ]}
          rows={rows}
          rowKey={({ id }) => id}
        />
      )}
      {total > rows.length && (
        <p class="card-body soft">
          And {showCount(total - rows.length)} more endpoints with less undelivered.
        </p>
      )}
      {replayed !== undefined && (
        <ReplayDialog
          {...{ tenant, endpoint: replayed }}
          initial={{ status: "missing" }}
          onClose={() => setReplayed(undefined)}
        />
      )}
    </Card>
  );
}

function RowActions(props: {
  tenant: string;
  id: string;
  window: string;
  onReplay: (id: string) => void;
}) {
  const { tenant, id, window, onReplay } = props;
  return (
    <div class="actions">
      <Link href={tenantAddresses(tenant).missed({ endpoint: id, window })} class="button small">
        Show
      </Link>
      <Button small onPress={() => onReplay(id)}>
        Replay
      </Button>
    </div>
  );
}

function columnsOf(tenant: string, endpoints: KnownEndpoints): Column<OfEndpoint>[] {
  const count = (name: string, of: (row: OfEndpoint) => number, bad = false) => ({
    name,
    number: true,
    cell: (row: OfEndpoint) => (
      <span class={of(row) === 0 ? "faint" : bad ? "bad-text strong" : ""}>
        {row.exact ? "" : "≥ "}
        {showCount(of(row))}
      </span>
    ),
  });
  return [
    {
      name: "Endpoint",
      cell: ({ id }) => <EndpointLink id={id} {...{ tenant, endpoints }} />,
    },
    {
      name: "State",
      cell: (row) => <EndpointState {...row} />,
    },
    count("Retrying", ({ retrying }) => retrying),
    count("Dead", ({ dead }) => dead, true),
    count("Waiting", ({ waiting }) => waiting),
    {
      name: "Oldest",
      cell: ({ oldest_at: at }) => (at === null ? <span class="faint">–</span> : <Ago at={at} />),
    },
  ];
}
