/** The kinds of events that the platform has registered, with what is known of each. */
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { TextField } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { useEndpoints } from "../endpoints/queries.ts";
import type { TenantView } from "../view.ts";
import { isWanted } from "./match.ts";
import "../endpoints/endpoints.css";

export const EventTypes: TenantView = ({ tenant }) => {
  const [text, setText] = useFilter("q", "");
  const pages = usePages({
    key: ["event-types", tenant],
    load: (cursor, signal) => {
      const query = { limit: 200, ...(cursor !== undefined && { cursor }) };
      return read(api.GET("/event-types", { params: { query }, signal }));
    },
  });
  const { data, error, refetch } = pages;
  const types = data?.pages.flatMap((page) => page.event_types) ?? [];
  const found = types.filter(({ type, description }) =>
    `${type} ${description ?? ""}`.toLowerCase().includes(text.trim().toLowerCase()),
  );
  return (
    <>
      <PageHead
        title="Event types"
        lead="What may happen, as your platform has described it. Where a type has a schema, events that do not fit are refused. Other types may come too: those nobody has described."
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && types.length === 0 && (
        <Card>
          <Empty title="No event types are described">
            Your platform can register types with a description and a schema. Events of any type are
            delivered all the same: <Link href={tenantAddresses(tenant).feed()}>see the feed</Link>.
          </Empty>
        </Card>
      )}
      {types.length > 0 && (
        <div class="stack">
          <div class="filters">
            <TextField
              label="Text"
              type="search"
              value={text}
              placeholder="Name or description"
              onValue={setText}
            />
          </div>
          <Card flush>
            {found.length === 0 && (
              <Empty title="None of them">No loaded type has this text.</Empty>
            )}
            {found.length > 0 && <TypeTable tenant={tenant} types={found} />}
            <LoadMore {...pages} />
          </Card>
        </div>
      )}
    </>
  );
};

function TypeTable({ tenant, types }: { tenant: string; types: readonly Schemas["EventType"][] }) {
  const { data } = useEndpoints(tenant);
  const to = tenantAddresses(tenant);
  return (
    <Table
      caption="Event types by name"
      rows={types}
      rowKey={({ type }) => type}
      columns={[
        {
          name: "Type",
          cell: ({ type }) => (
            <Link href={to.eventType(type)}>
              <code>{type}</code>
            </Link>
          ),
        },
        {
          name: "Description",
          cell: ({ description }) =>
            description === null ? (
              <span class="faint">none</span>
            ) : (
              <span class="clamp" dir="auto">
                {description}
              </span>
            ),
        },
        {
          name: "Schema",
          cell: ({ schema }) => (schema === null ? <span class="soft">anything</span> : "yes"),
        },
        {
          name: "Endpoints",
          number: true,
          cell: ({ type }) =>
            data?.endpoints.filter((endpoint) => isWanted(endpoint.types, type)).length ?? "…",
        },
        { name: "Changed", cell: ({ updated_at: at }) => <Ago at={at} /> },
      ]}
    />
  );
}
