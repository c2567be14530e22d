/** What was sent and what came back, attempt by attempt, the newest first. */
import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { ApiError, readText, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { useEndpoint } from "../../parts/endpoints.tsx";
import { JsonBlock } from "../../parts/json.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, Facts } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Ago, Moment, showDuration } from "../../parts/time.tsx";
import { adviceOn } from "./advice.ts";
import { errorInWords, outcomeOf, triggerNames, type AttemptData } from "./words.ts";

type Data = Schemas["DeliveryWithAttempts"];

export function Attempts({ tenant, delivery }: { tenant: string; delivery: Data }) {
  const { data: endpoint } = useEndpoint(tenant, delivery.endpoint);
  const attempts = delivery.attempt_log.toReversed();
  return (
    <Card title="Attempts" flush>
      {attempts.length === 0 ? (
        <Empty title="No attempt yet">
          The event waits for its turn, or was never sent to this endpoint.
        </Empty>
      ) : (
        <ol class="attempts">
          {attempts.map((attempt, index) => (
            <li key={attempt.attempt}>
              <Attempt
                {...{ tenant, attempt }}
                event={delivery.event.id}
                timeoutMs={endpoint?.timeout_ms}
                isOpen={index === 0}
              />
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

type AttemptProps = {
  tenant: string;
  attempt: AttemptData;
  /** Its id. */
  event: string;
  timeoutMs: number | undefined;
  isOpen: boolean;
};

function Attempt({ tenant, attempt, event, timeoutMs, isOpen }: AttemptProps) {
  const { ok, text } = outcomeOf(attempt);
  return (
    <details class="attempt" open={isOpen}>
      <summary>
        <span class="strong">Attempt {attempt.attempt}</span>
        <Badge state={ok ? "delivered" : "failed"} text={text} />
        <span class="soft">{triggerNames[attempt.trigger]}</span>
        <Latency {...{ attempt, timeoutMs }} />
        <span class="soft">
          <Ago at={attempt.at} />
        </span>
      </summary>
      <div class="stack attempt-body">
        <Why {...{ attempt, timeoutMs }} />
        <AttemptFacts {...{ tenant, attempt }} />
        <Request {...{ tenant, event, attempt }} />
        <Response attempt={attempt} />
      </div>
    </details>
  );
}

/** How much of the time that the endpoint has was used. */
function Latency({ attempt, timeoutMs }: Pick<AttemptProps, "attempt" | "timeoutMs">) {
  const { latency_ms: ms } = attempt;
  const share = timeoutMs === undefined ? 0 : Math.min(1, ms / timeoutMs);
  return (
    <span class="latency">
      <span class="latency-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, share * 100)}%` }} />
      </span>
      <span class="soft">{showDuration(ms)}</span>
    </span>
  );
}

function Why({ attempt, timeoutMs }: Pick<AttemptProps, "attempt" | "timeoutMs">) {
  const advice = adviceOn(attempt, timeoutMs);
  if (advice === undefined || attempt.error === null) return null;
  return (
    <div class="note bad">
      <h3>
        <bdi>{errorInWords(attempt.error.message)}</bdi>
      </h3>
      <p>{advice.meaning}</p>
      <p>
        <span class="strong">What to do:</span> <bdi>{advice.todo}</bdi>
      </p>
    </div>
  );
}

function AttemptFacts({ tenant, attempt }: Pick<AttemptProps, "tenant" | "attempt">) {
  const { at, queue_ms: queueMs, latency_ms: latencyMs, replay } = attempt;
  return (
    <Facts
      facts={[
        ["Made", <Moment at={at} />],
        ["Waited before", `${showDuration(queueMs)} from when it could be made`],
        ["Took", `${showDuration(latencyMs)} until its outcome`],
        ...(replay === null
          ? []
          : [
              [
                "Replay",
                <Link href={tenantAddresses(tenant).replay(replay)} class="mono">
                  {replay}
                </Link>,
              ] as const,
            ]),
      ]}
    />
  );
}

function Request({ tenant, event, attempt }: Pick<AttemptProps, "tenant" | "event" | "attempt">) {
  const { request } = attempt;
  return (
    <section class="stack part">
      <h3>Request</h3>
      {request === null ? (
        <p class="soft">Not known any more: its endpoint was removed, or its day is over.</p>
      ) : (
        <>
          <p class="mono wrap">
            POST <bdi>{request.url}</bdi>
          </p>
          <Headers headers={request.headers} />
        </>
      )}
      <details>
        <summary>Body: the event</summary>
        <EventBody tenant={tenant} event={event} />
      </details>
    </section>
  );
}

function EventBody({ tenant, event }: { tenant: string; event: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["event", tenant, event, "text"],
    queryFn: ({ signal }) =>
      readText(`/events/${encodeURIComponent(event)}?${new URLSearchParams({ tenant })}`, signal),
    staleTime: Infinity,
  });
  if (data !== undefined) return <JsonBlock text={data} what="the event" />;
  if (error === null) return <Loading />;
  if (error instanceof ApiError && error.status === 404) {
    return <p class="soft">The event is not kept any more.</p>;
  }
  return <ProblemNote error={error} retry={refetch} />;
}

function Response({ attempt: { response, error } }: { attempt: AttemptData }) {
  return (
    <section class="stack part">
      <h3>Response</h3>
      {response === null ? (
        <p class="soft">
          {error === null
            ? "Not kept of a first attempt that succeeded."
            : "None came back that could be kept."}
        </p>
      ) : (
        <>
          <Headers headers={response.headers} />
          {response.body === "" ? (
            <p class="soft">Without a body.</p>
          ) : (
            <JsonBlock text={response.body} what="the response's body" />
          )}
          {response.truncated && (
            <p class="soft">Truncated: only the first 4 KiB of a body are kept.</p>
          )}
        </>
      )}
    </section>
  );
}

function Headers({ headers }: { headers: Readonly<Record<string, string | string[]>> }) {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((each) => [name, each] as const),
  );
  if (lines.length === 0) return <p class="soft">Without headers.</p>;
  return (
    <dl class="headers mono">
      {lines.map(([name, value], index) => (
        <div key={index}>
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}
