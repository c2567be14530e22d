/** Deliveries as rows that can be chosen and replayed. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { EndpointLink, type KnownEndpoints } from "../../parts/endpoints.tsx";
import { showCount } from "../../parts/number.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago, useNow } from "../../parts/time.tsx";
import { ReplaySelected } from "../replays/replay-selected.tsx";
import { EventId } from "./event-id.tsx";
import { errorInShort, nextInShort, statusName, type DeliveryData } from "./words.ts";
import "./deliveries.css";

type TableProps = {
  tenant: string;
  caption: string;
  deliveries: readonly DeliveryData[];
  endpoints: KnownEndpoints;
  /** At the end of the bar above the rows. */
  actions?: ComponentChildren;
};

export function DeliveryTable(props: TableProps) {
  const { tenant, caption, deliveries, endpoints, actions } = props;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  // The list moves on: what is not shown any more is not sent either.
  const shown = deliveries.map(({ id }) => id);
  const selected = shown.filter((id) => chosen.has(id));
  const toggle = (id: string) =>
    setChosen(
      new Set(chosen.has(id) ? [...chosen].filter((each) => each !== id) : [...chosen, id]),
    );
  const columns = [
    checkColumn(chosen, toggle),
    ...whatColumns(tenant, endpoints),
    ...howColumns(endpoints),
  ];
  return (
    <>
      <SelectionBar
        {...{ tenant, selected, actions }}
        shown={shown.length}
        onAll={(all) => setChosen(new Set(all ? shown : []))}
      />
      <Table caption={caption} columns={columns} rows={deliveries} rowKey={({ id }) => id} />
    </>
  );
}

function SelectionBar(props: {
  tenant: string;
  selected: readonly string[];
  shown: number;
  onAll: (all: boolean) => void;
  actions: ComponentChildren;
}) {
  const { tenant, selected, shown, onAll, actions } = props;
  const [asked, setAsked] = useState<readonly string[]>();
  return (
    <div class="selection row apart">
      <label class="row">
        <input
          type="checkbox"
          checked={shown > 0 && selected.length === shown}
          onChange={({ currentTarget }) => onAll(currentTarget.checked)}
        />
        All {showCount(shown)} shown
      </label>
      <div class="row">
        {selected.length > 0 && (
          <Button small look="main" onPress={() => setAsked(selected)}>
            Replay {showCount(selected.length)} selected
          </Button>
        )}
        {actions}
      </div>
      {asked !== undefined && (
        <ReplaySelected tenant={tenant} ids={asked} onClose={() => setAsked(undefined)} />
      )}
    </div>
  );
}

function checkColumn(
  chosen: ReadonlySet<string>,
  toggle: (id: string) => void,
): Column<DeliveryData> {
  return {
    name: "",
    head: <span class="spoken">Select</span>,
    cell: ({ id, event }) => (
      <label class="pick">
        <input type="checkbox" checked={chosen.has(id)} onChange={() => toggle(id)} />
        <span class="spoken">
          Select {event.type} {event.id}
        </span>
      </label>
    ),
  };
}

function whatColumns(tenant: string, endpoints: KnownEndpoints): Column<DeliveryData>[] {
  const to = tenantAddresses(tenant);
  return [
    {
      name: "Status",
      cell: ({ status }) => <Badge state={status} text={statusName(status)} />,
    },
    {
      name: "Event",
      cell: ({ id, event }) => (
        <>
          <Link href={to.delivery(id)} class="strong wrap">
            {event.type}
          </Link>
          <EventId id={event.id} />
        </>
      ),
    },
    {
      name: "Endpoint",
      cell: ({ endpoint }) => <EndpointLink id={endpoint} {...{ tenant, endpoints }} />,
    },
  ];
}

function howColumns(endpoints: KnownEndpoints): Column<DeliveryData>[] {
  return [
    { name: "Attempts", number: true, cell: ({ attempts }) => showCount(attempts) },
    {
      name: "Last answer",
      cell: ({ last_status_code: code, last_error: error }) => (
        <div class="answer">
          {code !== null && <span class="mono">{code} </span>}
          {error !== null && (
            <bdi class="soft" title={error}>
              {errorInShort(code, error)}
            </bdi>
          )}
          {code === null && error === null && <span class="faint">None yet</span>}
        </div>
      ),
    },
    {
      name: "First attempt",
      cell: ({ first_attempt_at: at }) =>
        at === null ? (
          <span class="faint">Not yet</span>
        ) : (
          <span class="once">
            <Ago at={at} />
          </span>
        ),
    },
    { name: "Next attempt", cell: (row) => <Next {...{ row, endpoints }} /> },
  ];
}

function Next({ row, endpoints }: { row: DeliveryData; endpoints: KnownEndpoints }) {
  const text = nextInShort(row, endpoints.byId.get(row.endpoint), useNow());
  return <span class={text === "None" ? "faint" : ""}>{text}</span>;
}
