/** One event type: its description, its schema, and who receives it. */
import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, readText } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { ButtonLink } from "../../parts/button.tsx";
import { JsonBlock } from "../../parts/json.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Moment } from "../../parts/time.tsx";
import { useEndpoints } from "../endpoints/queries.ts";
import { stateOf } from "../endpoints/state.ts";
import type { TenantView } from "../view.ts";
import { isWanted } from "./match.ts";
import "../endpoints/endpoints.css";

export const EventType: TenantView = ({ tenant, params }) => {
  const type = params["type"] ?? "";
  const to = tenantAddresses(tenant);
  const { data, error, refetch } = useQuery({
    queryKey: ["event-types", tenant, "one", type],
    queryFn: ({ signal }) =>
      read(api.GET("/event-types/{type}", { params: { path: { type } }, signal })),
  });
  return (
    <>
      <PageHead
        title={type}
        heading={<code>{type}</code>}
        trail={[{ to: to.eventTypes, text: "Event types" }]}
        lead={data?.description === null ? undefined : <bdi>{data?.description}</bdi>}
        actions={<ButtonLink to={to.feed({ types: type })}>Events of this type</ButtonLink>}
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <div class="stack">
          <Receivers tenant={tenant} type={type} />
          <Card title="Schema">
            {data.schema === null ? (
              <p class="soft">There is none: “data” may be anything.</p>
            ) : (
              <Schema type={type} />
            )}
          </Card>
          <Card title="About it">
            <Facts
              facts={[
                ["Registered", <Moment at={data.created_at} />],
                ["Changed", <Moment at={data.updated_at} />],
              ]}
            />
          </Card>
        </div>
      )}
    </>
  );
};

/** Read as text: the numbers in a schema keep their digits. */
function Schema({ type }: { type: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["event-types", "text", type],
    queryFn: ({ signal }) => readText(`/event-types/${encodeURIComponent(type)}`, signal),
  });
  if (error !== null) return <ProblemNote error={error} retry={refetch} />;
  if (data === undefined) return <Loading />;
  return (
    <div class="stack">
      <p class="soft">
        JSON Schema 2020-12 of “data”. Events of this type that do not fit are refused when they are
        appended.
      </p>
      <JsonBlock text={data} member="schema" what="the schema" />
    </div>
  );
}

function Receivers({ tenant, type }: { tenant: string; type: string }) {
  const { data, error, refetch } = useEndpoints(tenant);
  const to = tenantAddresses(tenant);
  const wanting = data?.endpoints.filter((endpoint) => isWanted(endpoint.types, type)) ?? [];
  return (
    <Card flush title="Endpoints that receive it">
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && wanting.length === 0 && (
        <Empty title="None does">
          No endpoint's filter matches this type. Add it to an endpoint's event types, or{" "}
          <Link href={to.newEndpoint}>create one</Link>.
        </Empty>
      )}
      {wanting.length > 0 && (
        <Table
          caption={`Endpoints that receive ${type}`}
          rows={wanting}
          rowKey={({ id }) => id}
          columns={[
            {
              name: "Endpoint",
              cell: ({ id, url }) => (
                <Link href={to.endpoint(id)} class="url">
                  <bdi>{url}</bdi>
                </Link>
              ),
            },
            {
              name: "Asks for",
              cell: ({ types }) =>
                types === null ? "all types" : <span class="clamp">{types.join(", ")}</span>,
            },
            {
              name: "Of these only",
              cell: ({ subjects }) =>
                subjects === null ? (
                  "–"
                ) : (
                  <span class="clamp" dir="auto">
                    subjects {subjects.join(", ")}
                  </span>
                ),
            },
            {
              name: "Status",
              cell: (endpoint) => {
                const { kind, tone, word } = stateOf(endpoint);
                return <Badge state={kind} tone={tone} text={word} />;
              },
            },
          ]}
        />
      )}
    </Card>
  );
}
