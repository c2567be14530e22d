/** The attempts that were made and those to come, in one row of steps. */
import type { ComponentChildren } from "preact";
import type { Schemas } from "../../api.ts";
import { useEndpoint } from "../../parts/endpoints.tsx";
import { Card } from "../../parts/page.tsx";
import { Ago, showDuration, showExact, showRelative, useNow } from "../../parts/time.tsx";
import { giveUpTime, plannedAttempts, usualSchedule, type Planned } from "./schedule.ts";
import { heldInWords, outcomeOf, spanInWords, triggerNames, type AttemptData } from "./words.ts";

type Data = Schemas["DeliveryWithAttempts"];
type Endpoint = Schemas["Endpoint"];

/** Of those that were made; more say nothing more here, and stand below. */
const madeShownMax = 6;

export function Schedule({ tenant, delivery }: { tenant: string; delivery: Data }) {
  const { data: endpoint } = useEndpoint(tenant, delivery.endpoint);
  const now = useNow();
  if (endpoint === undefined || delivery.attempts === 0) return null;
  const schedule = endpoint.retry_schedule ?? usualSchedule;
  const planned = plannedAttempts(delivery, schedule, {
    giveUpAfter: endpoint.give_up_after,
    from: firstMoment(endpoint, now),
  });
  const made = delivery.attempt_log;
  if (planned.length === 0 && made.length < 2) return null;
  const isCut = made.length > madeShownMax;
  return (
    <Card title="Retry schedule">
      <div class="stack">
        <p class="soft">{scheduleInWords(endpoint)}</p>
        <Held endpoint={endpoint} isPlanned={planned.length > 0} />
        <ol class="steps" aria-label="Attempts made and planned">
          {isCut && (
            <li class="step soft">{made.length - madeShownMax} earlier attempts, all failed</li>
          )}
          {made.slice(-madeShownMax).map((attempt) => (
            <Made key={attempt.attempt} attempt={attempt} />
          ))}
          {planned.map((step, index) => (
            <Coming
              key={step.attempt}
              step={step}
              isNext={index === 0}
              isTimed={endpoint.status === "active"}
            />
          ))}
        </ol>
        <End {...{ delivery, endpoint, planned }} />
      </div>
    </Card>
  );
}

/** When the receiver is away, the next probe: only then anything else is sent. */
function firstMoment({ circuit: { next_probe_at: probe } }: Endpoint, now: number): number {
  return probe === null ? now : Math.max(now, Date.parse(probe));
}

function scheduleInWords({ retry_schedule: own, give_up_after: end }: Endpoint): string {
  const delays = (own ?? usualSchedule).map(spanInWords).join(", ");
  const whose =
    own === null ? "The gateway's schedule, as it is unless set otherwise" : "Its own schedule";
  const giveUp = end === null ? "" : ` It gives up ${spanInWords(end)} after the first attempt.`;
  return `${whose}: after each failure at most ${delays}. The delay is drawn anew each time, so that failures do not come back all at once.${giveUp}`;
}

function Held({ endpoint, isPlanned }: { endpoint: Endpoint; isPlanned: boolean }) {
  const held = heldInWords(endpoint, useNow());
  if (!isPlanned || held === undefined) return null;
  return <p class="note warn">At the moment {held}.</p>;
}

function Made({ attempt }: { attempt: AttemptData }) {
  const { ok, text } = outcomeOf(attempt);
  return (
    <Step number={attempt.attempt} mark={ok ? "ok" : "bad"}>
      <span>
        {text} <span class="soft">· {triggerNames[attempt.trigger].toLowerCase()}</span>
      </span>
      <span class="soft">
        <Ago at={attempt.at} />
      </span>
    </Step>
  );
}

function Coming(props: { step: Planned; isNext: boolean; isTimed: boolean }) {
  const { step, isNext, isTimed } = props;
  const now = useNow();
  return (
    <Step number={step.attempt} mark={isNext ? "next" : "later"}>
      <span>{isNext ? "Next attempt" : notMade[step.beyond]}</span>
      {isTimed && step.beyond !== "yes" && (
        <span class="soft" title={spanExact(step)}>
          {spanFromNow(step, now)}
        </span>
      )}
    </Step>
  );
}

const notMade: Readonly<Record<Planned["beyond"], string>> = {
  no: "Planned, if all before it fail",
  perhaps: "Planned, unless time has run out",
  yes: "Not made: time will have run out",
};

function spanExact({ earliest, latest }: Planned): string {
  const [from, to] = [earliest, latest].map((at) => showExact(new Date(at).toISOString()));
  return from === to ? `${from}` : `Between ${from} and ${to}`;
}

/** Times to come are spans, as each delay is drawn when the failure before it is known. */
function spanFromNow({ earliest, latest }: Planned, now: number): string {
  const first = earliest - now;
  if (first === latest - now) return first <= 0 ? "due now" : showRelative(first);
  return `in ${wholeSeconds(first)} to ${wholeSeconds(latest - now)}`;
}

function wholeSeconds(ms: number): string {
  return ms < 10_000 ? `${Math.max(0, Math.round(ms / 1_000))} s` : showDuration(ms);
}

function End(props: { delivery: Data; endpoint: Endpoint; planned: readonly Planned[] }) {
  const { delivery, endpoint, planned } = props;
  const now = useNow();
  if (planned.length === 0) {
    return delivery.status === "dead" ? (
      <p>There is no attempt left: the event is a dead letter of this endpoint.</p>
    ) : null;
  }
  if (endpoint.status !== "active") return null;
  const endAt = giveUpTime(delivery, endpoint.give_up_after);
  const last = planned.findLast(({ beyond }) => beyond !== "yes") ?? planned[0];
  const latest = Math.min(last?.latest ?? now, endAt ?? Infinity);
  return (
    <p>
      If all of them fail it is a dead letter, by {showExact(new Date(latest).toISOString())} at the
      latest.
    </p>
  );
}

function Step(props: { number: number; mark: string; children: ComponentChildren }) {
  const { number, mark, children } = props;
  return (
    <li class={`step ${mark}`}>
      <span class="step-mark" aria-hidden="true" />
      <span class="strong">Attempt {number}</span>
      {children}
    </li>
  );
}
