/** What became of an event: how it stands at each endpoint, and all that happened, in order. */
import { useMemo } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Select } from "../../parts/field.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Ago } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import { History } from "./history.tsx";

type Endpoint = Schemas["TimelineEndpoint"];

/** Endpoints; the entries of each come along. */
const pageSize = 25;

export function Life({ tenant, id }: { tenant: string; id: string }) {
  const pages = usePages({
    key: ["timeline", tenant, id],
    load: (cursor, signal) => {
      const query = { tenant, limit: pageSize, ...(cursor !== undefined && { cursor }) };
      const params = { path: { id }, query };
      return read(api.GET("/events/{id}/timeline", { params, signal }));
    },
    everyMs: liveMs,
  });
  const { data, error, refetch } = pages;
  const endpoints = useMemo(() => data?.pages.flatMap((page) => page.endpoints) ?? [], [data]);
  const [first] = data?.pages ?? [];
  if (data === undefined || first === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  const entries = data.pages.flatMap((page, at) =>
    // Each page begins with the append.
    at === 0 ? page.entries : page.entries.filter(({ kind }) => kind !== "appended"),
  );
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <Card title="At each endpoint" flush>
        {endpoints.length === 0 ? (
          <Empty title="No endpoint wants this event">
            It can still be read by pull and stream. An endpoint gets those events that match its
            filter and were appended after it was created.
          </Empty>
        ) : (
          <ul class="at-endpoints">
            {endpoints.map((endpoint) => (
              <AtEndpoint key={endpoint.id} tenant={tenant} endpoint={endpoint} />
            ))}
          </ul>
        )}
        <LoadMore {...pages} />
        {first.not_matched > 0 && (
          <p class="card-body soft">
            {first.not_matched === 1
              ? "One endpoint leaves this event out by its filter."
              : `${showCount(first.not_matched)} endpoints leave this event out by their filters.`}
          </p>
        )}
      </Card>
      <Happened tenant={tenant} entries={entries} endpoints={endpoints} />
    </>
  );
}

function AtEndpoint({ tenant, endpoint }: { tenant: string; endpoint: Endpoint }) {
  const to = tenantAddresses(tenant);
  const { id, url, status, delivery, attempts_omitted: omitted, next_attempt_at: next } = endpoint;
  return (
    <li>
      <div class="row">
        <Badge state={status} tone={status === "waiting" ? "info" : undefined} />
        {url === null ? (
          <span class="soft">An endpoint that was removed</span>
        ) : (
          <Link href={to.endpoint(id)} class="endless">
            {url}
          </Link>
        )}
        {delivery !== null && <Link href={to.delivery(delivery)}>Requests and answers</Link>}
      </div>
      <p class="soft">
        <bdi>{endpoint.explanation}</bdi>
        {next !== null && Date.parse(next) > Date.now() && (
          <>
            {" "}
            Next attempt <Ago at={next} />.
          </>
        )}
        {omitted > 0 && ` ${showCount(omitted)} earlier attempts are not listed below.`}
      </p>
    </li>
  );
}

function Happened(props: {
  tenant: string;
  entries: readonly Schemas["TimelineEntry"][];
  endpoints: readonly Endpoint[];
}) {
  const { tenant, entries, endpoints } = props;
  const [only, setOnly] = useFilter("endpoint");
  const urls = useMemo(() => new Map(endpoints.map(({ id, url }) => [id, url])), [endpoints]);
  const shown = entries.filter(
    (entry) => only === "" || entry.kind === "appended" || entry.endpoint === only,
  );
  return (
    <Card
      title="What happened"
      actions={
        endpoints.length > 1 && (
          <div class="filters">
            <Select
              label="Endpoint"
              value={only}
              onValue={setOnly}
              options={[["", "All"], ...endpoints.map(({ id, url }) => [id, url ?? id] as const)]}
            />
          </div>
        )
      }
    >
      <History tenant={tenant} entries={shown} urls={urls} />
    </Card>
  );
}
