/** One delivery: how it stands, each of its attempts, and those to come. */
import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { CopyButton } from "../../parts/button.tsx";
import { EndpointLink, useEndpoints } from "../../parts/endpoints.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Ago, Moment, useNow } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import type { TenantView } from "../view.ts";
import { Attempts } from "./attempts.tsx";
import { FollowedReplay, useReplayOne } from "./replay-one.tsx";
import { Schedule } from "./schedule-card.tsx";
import { errorInWords, statusName, summaryOf } from "./words.ts";
import "./deliveries.css";

type Data = Schemas["DeliveryWithAttempts"];

/** While a replay of it is under way its outcome is waited for. */
const followedMs = 1_000;

export const Delivery: TenantView = ({ tenant, params: { id = "" } }) => {
  const replay = useReplayOne(tenant, id);
  const { data, error, refetch } = useQuery({
    queryKey: ["delivery", tenant, id],
    queryFn: ({ signal }) => {
      const params = { path: { id }, query: { tenant } };
      return read(api.GET("/deliveries/{id}", { params, signal }));
    },
    refetchInterval: replay.isRunning ? followedMs : liveMs,
  });
  const trail = [{ to: tenantAddresses(tenant).deliveries(), text: "Deliveries" }];
  if (data === undefined) {
    return (
      <>
        <PageHead title="Delivery" trail={trail} />
        {error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />}
      </>
    );
  }
  return (
    <>
      <PageHead
        title={`Delivery of ${data.event.type}`}
        heading={
          <span class="row">
            Delivery of {data.event.type}
            <Badge state={data.status} text={statusName(data.status)} />
          </span>
        }
        trail={trail}
        actions={replay.button}
      />
      <div class="stack">
        {error !== null && <ProblemNote error={error} retry={refetch} />}
        <FollowedReplay tenant={tenant} followed={replay} />
        <Summary tenant={tenant} delivery={data} />
        <Schedule tenant={tenant} delivery={data} />
        <Attempts tenant={tenant} delivery={data} />
      </div>
    </>
  );
};

function Summary({ tenant, delivery }: { tenant: string; delivery: Data }) {
  const endpoints = useEndpoints(tenant);
  const lane = endpoints.byId.get(delivery.endpoint);
  const to = tenantAddresses(tenant);
  const { event, last_error: error } = delivery;
  return (
    <Card>
      <div class="stack">
        <p class="summary">{summaryOf(delivery, lane, useNow())}</p>
        <Facts
          facts={[
            [
              "Event",
              <>
                <Link href={to.event(event.id)} class="mono">
                  {event.id}
                </Link>{" "}
                <CopyButton text={event.id} what="the event's id" />
              </>,
            ],
            ["Endpoint", <EndpointLink id={delivery.endpoint} {...{ tenant, endpoints }} />],
            ["First attempt", <When at={delivery.first_attempt_at} otherwise="Not yet" />],
            ["Last attempt", <When at={delivery.last_attempt_at} otherwise="Not yet" />],
            ...(error === null ? [] : [["Last error", <bdi>{errorInWords(error)}</bdi>] as const]),
            ["Receipt", <ReceiptFact delivery={delivery} />],
            [
              "Signature",
              <Link href={to.signatures({ endpoint: delivery.endpoint })}>
                How the receiver verifies it
              </Link>,
            ],
            [
              "Id",
              <>
                <span class="mono">{delivery.id}</span>{" "}
                <CopyButton text={delivery.id} what="the delivery's id" />
              </>,
            ],
          ]}
        />
      </div>
    </Card>
  );
}

function When({ at, otherwise }: { at: string | null; otherwise: string }) {
  if (at === null) return <span class="faint">{otherwise}</span>;
  return (
    <>
      <Moment at={at} />{" "}
      <span class="soft">
        (<Ago at={at} />)
      </span>
    </>
  );
}

function ReceiptFact({ delivery: { receipt, status } }: { delivery: Data }) {
  if (receipt === null) {
    const text = status === "awaiting_receipt" ? "Has not come yet" : "None";
    return <span class="faint">{text}</span>;
  }
  return (
    <>
      <Badge state={receipt.status} tone={receipt.status === "failed" ? "bad" : "ok"} />{" "}
      <Ago at={receipt.at} />
      {receipt.detail !== null && <p dir="auto">{receipt.detail}</p>}
    </>
  );
}
