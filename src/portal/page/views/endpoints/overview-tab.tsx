/** How an endpoint stands, what it did last, and a test event for it. */
import { useQuery } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { ButtonLink, CopyButton } from "../../parts/button.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card, Facts, Stats } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago, Moment, showDuration, useNow } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import type { EndpointView } from "./queries.ts";
import { errorInWords } from "../deliveries/words.ts";
import { nextInWords, obstacleInWords, stateOf } from "./state.ts";
import { TestPush } from "./test-push.tsx";

type Props = { tenant: string; endpoint: EndpointView };

export function OverviewTab({ tenant, endpoint }: Props) {
  return (
    <div class="stack">
      <StateNote endpoint={endpoint} />
      <Figures {...{ tenant, endpoint }} />
      <RecentDeliveries {...{ tenant, endpoint }} />
      <div class="grid-2">
        <Card title="Standing">
          <Standing endpoint={endpoint} />
        </Card>
        <Card title="Test">
          <TestPush tenant={tenant} id={endpoint.id} url={endpoint.url} />
        </Card>
      </div>
    </div>
  );
}

function StateNote({ endpoint }: { endpoint: EndpointView }) {
  const { kind, word, tone, reason } = stateOf(endpoint);
  const { circuit } = endpoint;
  const look = tone === "bad" || tone === "warn" ? tone : "";
  return (
    <div class={`note ${look}`}>
      <div class="row">
        <Badge state={kind} tone={tone} text={word} />
        {reason !== "" && (
          <strong class="clamp" dir="auto">
            {reason}
          </strong>
        )}
      </div>
      <p>{nextInWords(endpoint)}</p>
      {kind === "circuit" && circuit.since !== null && (
        <p>
          Open since <Moment at={circuit.since} /> (<Ago at={circuit.since} />
          ).
          {circuit.next_probe_at !== null && (
            <>
              {" "}
              The next probe is due <Ago at={circuit.next_probe_at} />, at{" "}
              <Moment at={circuit.next_probe_at} />.
            </>
          )}
        </p>
      )}
    </div>
  );
}

function Figures({ tenant, endpoint }: Props) {
  const to = tenantAddresses(tenant);
  const { id, lag, retrying, dead } = endpoint;
  const linked = (count: number, status: string) =>
    count === 0 ? (
      "0"
    ) : (
      <Link href={to.deliveries({ endpoint: id, status })}>{showCount(count)}</Link>
    );
  return (
    <Stats
      stats={[
        {
          label: "Lag",
          value: `${showCount(lag.events)} ${lag.events === 1 ? "event" : "events"}`,
          note:
            lag.events === 0 ? "up to date" : `the oldest ${showDuration(lag.seconds * 1_000)} old`,
        },
        {
          label: "In flight",
          value: showCount(endpoint.in_flight),
          note: "as of the last outcome",
        },
        { label: "Retrying", value: linked(retrying, "retrying"), note: "failed, and tried again" },
        {
          label: "Dead",
          value: linked(dead, "dead"),
          note:
            dead === 0 ? (
              "nothing was given up"
            ) : (
              <Link href={to.missed({ endpoint: id })}>Replay them</Link>
            ),
          bad: dead > 0,
        },
      ]}
    />
  );
}

function Standing({ endpoint }: { endpoint: EndpointView }) {
  const { last_failure: failure, last_success_at: success } = endpoint;
  const facts: [string, ComponentChildren][] = [
    [
      "Id",
      <span class="row">
        <code>{endpoint.id}</code>
        <CopyButton text={endpoint.id} what="the endpoint's id" />
      </span>,
    ],
    [
      "Position",
      `${showCount(Number(endpoint.position))}: everything up to this sequence was sent, or is tried again`,
    ],
    ["Last success", success === null ? "never" : <Ago at={success} />],
    [
      "Last failure",
      failure === null ? (
        "never"
      ) : (
        <>
          <Ago at={failure.at} />, <bdi>{errorInWords(failure.error)}</bdi>
        </>
      ),
    ],
    ["Created", <Moment at={endpoint.created_at} />],
    ["Changed", <Moment at={endpoint.updated_at} />],
  ];
  return <Facts facts={facts} />;
}

const recentCount = 10;

function RecentDeliveries({ tenant, endpoint }: Props) {
  const { id } = endpoint;
  const to = tenantAddresses(tenant);
  const { data, error, refetch } = useQuery({
    queryKey: ["deliveries", tenant, { endpoint: id, recent: recentCount }],
    queryFn: ({ signal }) => {
      const params = { path: { id }, query: { tenant, limit: recentCount } };
      return read(api.GET("/endpoints/{id}/deliveries", { params, signal }));
    },
    refetchInterval: liveMs,
  });
  return (
    <Card
      flush
      title="Recent deliveries"
      actions={
        <ButtonLink to={to.deliveries({ endpoint: id })} small>
          All deliveries
        </ButtonLink>
      }
    >
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data?.deliveries.length === 0 && (
        <Empty title="Nothing was delivered yet">
          As soon as an event is appended that matches this endpoint, its delivery stands here. A
          test event can be sent at once, below.
        </Empty>
      )}
      {data !== undefined && data.deliveries.length > 0 && (
        <DeliveryTable {...{ tenant, endpoint }} deliveries={data.deliveries} />
      )}
    </Card>
  );
}

function DeliveryTable(props: Props & { deliveries: readonly Schemas["Delivery"][] }) {
  const to = tenantAddresses(props.tenant);
  return (
    <Table
      caption="The last deliveries of this endpoint, the newest event first"
      rows={props.deliveries}
      rowKey={({ id }) => id}
      columns={[
        {
          name: "Event",
          cell: ({ id, event }) => (
            <>
              <Link href={to.delivery(id)}>
                <bdi>{event.type}</bdi>
              </Link>
              <div class="soft">no. {showCount(Number(event.sequence))}</div>
            </>
          ),
        },
        { name: "Status", cell: ({ status }) => <Badge state={status} /> },
        { name: "Attempts", number: true, cell: ({ attempts }) => showCount(attempts) },
        {
          name: "Last answer",
          cell: ({ last_error: error, last_status_code: code }) =>
            error === null ? (
              (code ?? "–")
            ) : (
              <span class="clamp">
                <bdi>{errorInWords(error)}</bdi>
              </span>
            ),
        },
        {
          name: "Last attempt",
          cell: ({ last_attempt_at: at }) => (at === null ? "–" : <Ago at={at} />),
        },
        {
          name: "Next attempt",
          cell: ({ next_attempt_at: at }) => <NextAttempt at={at} endpoint={props.endpoint} />,
        },
      ]}
    />
  );
}

function NextAttempt({ at, endpoint }: { at: string | null; endpoint: EndpointView }) {
  const now = useNow();
  if (at === null) return <>–</>;
  return Date.parse(at) > now ? <Ago at={at} /> : <>{obstacleInWords(endpoint)}</>;
}
