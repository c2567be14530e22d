/** Endpoints that get nothing through, of all tenants. */
import type { Schemas } from "../../api.ts";
import { showCount } from "../../parts/number.ts";
import { Card } from "../../parts/page.tsx";
import { Empty } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { errorInWords } from "../deliveries/words.ts";
import { EndpointState } from "../../parts/endpoints.tsx";
import { EndpointLink, TenantLink } from "./links.tsx";

type Endpoints = NonNullable<Schemas["System"]["endpoints"]>;

export function Failing({ endpoints }: { endpoints: Endpoints | null }) {
  if (endpoints === null) return <TooLong title="Failing endpoints" />;
  const { failing, worst, circuits } = endpoints;
  const open = circuits.open + circuits.half_open;
  return (
    <Card
      title="Failing endpoints"
      flush
      actions={
        <span class="soft">
          {showCount(failing)} of {showCount(endpoints.active)} active fail, {showCount(open)}{" "}
          {open === 1 ? "circuit is" : "circuits are"} open
        </span>
      }
    >
      {worst.length === 0 ? (
        <Empty title="No endpoint fails">
          Every endpoint that is pushed to has accepted its last event.
        </Empty>
      ) : (
        <Table
          caption="Failing endpoints, the first to have failed first"
          rows={worst}
          rowKey={({ id }) => id}
          columns={[
            { name: "Endpoint", cell: (row) => <EndpointLink {...row} /> },
            { name: "Tenant", cell: ({ tenant }) => <TenantLink tenant={tenant} /> },
            {
              name: "State",
              cell: ({ circuit }) => <EndpointState status="active" circuit={circuit.state} />,
            },
            {
              name: "Failing since",
              cell: ({ failing_since: at }) => (at === null ? "" : <Ago at={at} />),
            },
            {
              name: "Last error",
              cell: ({ last_failure: last }) => (
                <bdi class="wrap">{last === null ? "" : errorInWords(last.error)}</bdi>
              ),
            },
            { name: "Behind", number: true, cell: ({ behind }) => showCount(behind) },
          ]}
        />
      )}
    </Card>
  );
}

/** Each part of `/system` is left out when the database takes too long for it. */
export function TooLong({ title }: { title: string }) {
  return (
    <Card title={title}>
      <p class="soft">The database took too long to answer this. It is asked again.</p>
    </Card>
  );
}
