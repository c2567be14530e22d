/** `/search?q=`: what was found, kind by kind. */
import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Table } from "../../parts/table.tsx";
import { SearchBox } from "./search-box.tsx";

type Found = Schemas["SearchResult"];
type Hit = Found["hits"][number];
type Kind = Hit["kind"];

const kindNames: Readonly<Record<Kind, string>> = {
  tenant: "Tenants",
  endpoint: "Endpoints",
  event: "Events",
  delivery: "Deliveries",
  replay: "Replays",
  consumer: "Consumers",
  event_type: "Event types",
  key: "Keys",
};

const kinds = Object.keys(kindNames) as Kind[];

export function Search() {
  const [q] = useFilter("q", "");
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ["search", q],
    queryFn: ({ signal }) => read(api.GET("/search", { params: { query: { q } }, signal })),
    enabled: q !== "",
  });
  return (
    <div class="stack">
      <PageHead title={q === "" ? "Search" : `Search: ${q}`} heading="Search" />
      {/* Of another search it is another box, with other text in it. */}
      <SearchBox key={q} initial={q} />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {isFetching && data === undefined && <Loading />}
      {data !== undefined && <Results found={data} q={q} />}
      {q === "" && (
        <Empty title="Paste what you were asked about">
          The exact id of an event, a delivery, an endpoint, a replay or a key. Or a part of a
          tenant&rsquo;s name, an endpoint&rsquo;s URL, a consumer&rsquo;s name or an event type.
        </Empty>
      )}
    </div>
  );
}

function Results({ found, q }: { found: Found; q: string }) {
  const groups = kinds
    .map((kind) => ({ kind, hits: found.hits.filter((hit) => hit.kind === kind) }))
    .filter(({ hits }) => hits.length > 0);
  return (
    <>
      {found.incomplete.length > 0 && (
        <div class="note warn">
          There was not the time to look for all{" "}
          {found.incomplete.map((kind) => kindNames[kind].toLowerCase()).join(", ")}.
        </div>
      )}
      {groups.length === 0 && (
        <Empty title="Nothing was found">
          There is no tenant, endpoint, event, delivery, replay, consumer, event type or key like{" "}
          <bdi class="wrap">{q}</bdi>. Events and deliveries are found by their exact id only.
        </Empty>
      )}
      {groups.map(({ kind, hits }) => (
        <Card
          key={kind}
          title={kindNames[kind]}
          flush
          actions={
            found.more.includes(kind) ? <span class="soft">the closest ones</span> : undefined
          }
        >
          <Table
            caption={kindNames[kind]}
            rows={hits}
            rowKey={({ id, tenant }) => `${tenant ?? ""} ${id}`}
            columns={[
              { name: "Id or name", cell: (hit) => <HitLink hit={hit} /> },
              { name: "Tenant", cell: ({ tenant }) => tenant ?? "all" },
              { name: "What it is", cell: ({ text }) => <bdi class="wrap">{text}</bdi> },
            ]}
          />
        </Card>
      ))}
    </>
  );
}

function HitLink({ hit }: { hit: Hit }) {
  const address = addressOf(hit);
  const text = <bdi class="wrap mono">{hit.id}</bdi>;
  return address === undefined ? text : <Link href={address}>{text}</Link>;
}

/** Undefined for what has no view of its own: what belongs to all tenants. */
function addressOf({ kind, id, tenant }: Hit): string | undefined {
  if (kind === "tenant") return tenantAddresses(id).overview;
  if (tenant === null) return undefined;
  const to = tenantAddresses(tenant);
  switch (kind) {
    case "endpoint":
      return to.endpoint(id);
    case "event":
      return to.event(id);
    case "delivery":
      return to.delivery(id);
    case "replay":
      return to.replay(id);
    case "consumer":
      return to.consumer(id);
    case "event_type":
      return to.eventType(id);
    case "key":
      return to.keys;
  }
}
