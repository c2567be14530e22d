/** What has not been delivered, at this moment: how much, in which way, and where. */
import { keepPreviousData, useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { ButtonLink } from "../../parts/button.tsx";
import { EndpointState } from "../../parts/endpoints.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import type { Window } from "./windows.ts";

type Undelivered = Schemas["Undelivered"];
type EndpointRow = Undelivered["endpoints"][number];

/** The worst ones; the list of endpoints has them all. */
const endpointsShown = 10;

/** Called where it can begin early; asked again by itself. */
export function useUndelivered(tenant: string, window: Window) {
  return useQuery({
    queryKey: ["undelivered", tenant, window.name],
    queryFn: ({ signal }) => {
      const query = { tenant, window: window.name, limit: endpointsShown };
      return read(api.GET("/stats/undelivered", { params: { query }, signal }));
    },
    refetchInterval: liveMs,
    placeholderData: keepPreviousData,
  });
}

export function UndeliveredNow(props: {
  tenant: string;
  window: Window;
  hasEndpoints: boolean;
  asked: ReturnType<typeof useUndelivered>;
}) {
  const { tenant, window, hasEndpoints } = props;
  const { data, error, refetch } = props.asked;
  return (
    <Card title="Not delivered now" flush>
      {error !== null && (
        <div class="card-body">
          <ProblemNote error={error} retry={refetch} />
        </div>
      )}
      {data === undefined && error === null && <Loading />}
      {data !== undefined &&
        (data.deliveries === 0 ? (
          <Nothing
            {...{ tenant, hasEndpoints }}
            isExact={data.exact}
            atMost={data.at_most ?? 0}
            window={window}
          />
        ) : (
          <>
            <Amount tenant={tenant} undelivered={data} window={window} />
            <Endpoints tenant={tenant} undelivered={data} />
          </>
        ))}
    </Card>
  );
}

function Nothing(props: {
  tenant: string;
  hasEndpoints: boolean;
  isExact: boolean;
  atMost: number;
  window: Window;
}) {
  const { tenant, hasEndpoints, isExact, atMost, window } = props;
  if (!hasEndpoints) {
    return (
      <div class="card-body calm">
        <p>
          There is no endpoint, so nothing is pushed. Events are read by pull, by stream and by
          consumers.
        </p>
        <ButtonLink to={tenantAddresses(tenant).newEndpoint}>Create an endpoint</ButtonLink>
      </div>
    );
  }
  if (!isExact) {
    return (
      <p class="card-body soft">
        Nothing undelivered was found among the events of {window.text}, but there was not the time
        to look at all: at most {showCount(atMost)} deliveries may be missing. A shorter window
        tells it exactly.
      </p>
    );
  }
  return (
    <div class="card-body calm">
      <Badge state="delivered" text="All delivered" />
      <p>Every event of {window.text} has reached every endpoint that it matches.</p>
    </div>
  );
}

function Amount(props: { tenant: string; undelivered: Undelivered; window: Window }) {
  const { undelivered, window } = props;
  const { exact, deliveries, at_most: atMost } = undelivered;
  const events = undelivered.undelivered;
  return (
    <div class="card-body amount">
      <div>
        <p class="large">
          {!exact && <span class="least">at least </span>}
          {showCount(events)} <span class="unit">{events === 1 ? "event" : "events"}</span>
        </p>
        <p class="soft">
          of {window.text} {events === 1 ? "has" : "have"} not reached every endpoint:{" "}
          {exact
            ? `${missingText(deliveries)}, each of one event to one endpoint.`
            : `at least ${showCount(deliveries)} and at most ${showCount(atMost ?? deliveries)} ` +
              "deliveries are missing. There was not the time to look at all events; a shorter " +
              "window tells it exactly."}
        </p>
      </div>
      <Split {...props} />
    </div>
  );
}

function missingText(deliveries: number): string {
  return deliveries === 1
    ? "1 delivery is missing"
    : `${showCount(deliveries)} deliveries are missing`;
}

type Part = { name: string; tone: Tone; count: number; href: string; text: string };

function Split({ tenant, undelivered }: { tenant: string; undelivered: Undelivered }) {
  const to = tenantAddresses(tenant);
  const { retrying, waiting, dead, awaiting_receipt: awaiting, expired } = undelivered;
  const among = (count: number, text: string) =>
    count === 0 ? "" : ` ${showCount(count)} of them ${text}.`;
  const parts: readonly Part[] = [
    {
      name: "retrying",
      tone: "warn",
      count: retrying,
      href: to.deliveries({ status: "retrying" }),
      text: `Failed, and attempted again by themselves.${among(awaiting, "wait for a receipt")}`,
    },
    {
      name: "waiting",
      tone: "info",
      count: waiting,
      href: to.missed(),
      text: "Not attempted yet: the endpoint is behind, paused, disabled, or its circuit is open.",
    },
    {
      name: "dead",
      tone: "bad",
      count: dead,
      href: to.deliveries({ status: "dead" }),
      text: `Failed for good until you replay them.${among(expired, "have expired")}`,
    },
  ];
  return (
    <ul class="split">
      {parts.map(({ name, tone, count, href, text }) => (
        <li key={name}>
          <Badge state={name} tone={count === 0 ? "idle" : tone} />
          <strong>{count === 0 ? "0" : <Link href={href}>{showCount(count)}</Link>}</strong>
          <span class="soft">{text}</span>
        </li>
      ))}
    </ul>
  );
}

function Endpoints({ tenant, undelivered }: { tenant: string; undelivered: Undelivered }) {
  const to = tenantAddresses(tenant);
  const { endpoints, endpoints_total: total } = undelivered;
  const counted = (count: number, href: string, isExact: boolean) =>
    count === 0 ? (
      <span class="faint">0</span>
    ) : (
      <Link href={href}>{`${isExact ? "" : "≥\u00a0"}${showCount(count)}`}</Link>
    );
  const dead = ({ id, dead, exact }: EndpointRow) =>
    counted(dead, to.deliveries({ status: "dead", endpoint: id }), exact);
  return (
    <>
      <Table
        caption="Endpoints with undelivered events, those with the most first"
        rows={endpoints}
        rowKey={({ id }) => id}
        columns={[
          {
            name: "Endpoint",
            cell: ({ id, url }) => (
              <Link href={to.endpoint(id)} class="endless">
                {url}
              </Link>
            ),
          },
          { name: "State", cell: (row) => <EndpointState {...row} /> },
          {
            ...{ name: "Retrying", number: true },
            cell: ({ id, retrying, exact }) =>
              counted(retrying, to.deliveries({ status: "retrying", endpoint: id }), exact),
          },
          {
            ...{ name: "Waiting", number: true },
            cell: ({ id, waiting, exact }) => counted(waiting, to.missed({ endpoint: id }), exact),
          },
          { name: "Dead", number: true, cell: dead },
          {
            name: "Oldest",
            cell: ({ oldest_at: at }) => (at === null ? "–" : <Ago at={at} />),
          },
        ]}
      />
      {total > endpoints.length && (
        <p class="card-body soft">
          {showCount(total - endpoints.length)} more endpoints have something undelivered.{" "}
          <Link href={to.endpoints}>All endpoints</Link>
        </p>
      )}
    </>
  );
}
