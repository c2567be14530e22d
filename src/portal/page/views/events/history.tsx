/** What happened to an event, one line for each thing, in the order of time. */
import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import type { Schemas } from "../../api.ts";
import type { Tone } from "../../parts/badge.tsx";
import { showCount } from "../../parts/number.ts";
import { Ago, showDuration, showExact } from "../../parts/time.tsx";

type Entry = Schemas["TimelineEntry"];
type Attempt = Extract<Entry, { kind: "attempt" }>;
type Replay = Extract<Entry, { kind: "replay" }>;

type Line = { tone: Tone; title: ComponentChildren; more?: ComponentChildren };

export function History(props: {
  tenant: string;
  entries: readonly Entry[];
  urls: ReadonlyMap<string, string | null>;
}) {
  const { tenant, urls } = props;
  const entries = props.entries.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const appendedAt = Date.parse(entries.find(({ kind }) => kind === "appended")?.at ?? "");
  return (
    <ol class="history">
      {entries.map((entry, index) => {
        const { tone, title, more } = lineOf(entry, tenant);
        const where = entry.kind === "appended" ? undefined : entry.endpoint;
        return (
          <li key={`${entry.at} ${index}`} class={tone}>
            <time dateTime={entry.at} title={showExact(entry.at)}>
              {clockText(entry.at)}
              {entry.kind !== "appended" && !Number.isNaN(appendedAt) && (
                <span class="faint"> +{showDuration(Date.parse(entry.at) - appendedAt)}</span>
              )}
            </time>
            <div>
              <p>{title}</p>
              {more !== undefined && <p class="soft endless">{more}</p>}
              {where !== undefined && urls.size > 1 && (
                <p class="faint endless">{urls.get(where) ?? where}</p>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function lineOf(entry: Entry, tenant: string): Line {
  switch (entry.kind) {
    case "appended":
      return { tone: "info", title: `Appended as event ${showCount(Number(entry.sequence))}` };
    case "queued":
      return {
        tone: "idle",
        title: `In the endpoint's queue, ${showDuration(entry.after_append_ms)} after the append`,
      };
    case "attempt":
      return attemptLine(entry, tenant);
    case "retry_scheduled": {
      const { attempt, due_at: due } = entry;
      const isAhead = Date.parse(due) > Date.now();
      return {
        tone: "warn",
        title: `Attempt ${attempt} planned for ${showExact(due)}`,
        ...(isAhead && { more: <Ago at={due} /> }),
      };
    }
    case "replay":
      return replayLine(entry, tenant);
    case "receipt": {
      const isDone = entry.status === "processed";
      const title = isDone
        ? "Receipt: the consumer has processed it"
        : "Receipt: the consumer reports that it failed";
      return { tone: isDone ? "ok" : "bad", title, ...detailOf(entry) };
    }
    case "settled":
      return { tone: "ok", title: "Settled by a receipt", ...detailOf(entry) };
    case "dead_lettered":
      return { tone: "bad", title: "Dead: it is not attempted any more", ...detailOf(entry) };
    case "expired":
      return { tone: "bad", title: "Expired: retention took the event", ...detailOf(entry) };
    case "skipped":
      return { tone: "idle", title: "Skipped by a resume", ...detailOf(entry) };
  }
}

/** Less than this is no waiting. */
const toldQueueMs = 100;

const triggers: Readonly<Record<Attempt["trigger"], string>> = {
  event: "",
  retry: ", a retry",
  probe: ", a probe whether the endpoint is back",
  drain: ", as the endpoint is back",
  replay: ", by a replay",
};

function attemptLine(entry: Attempt, tenant: string): Line {
  const { attempt, trigger, replay, queue_ms: queue, latency_ms: latency, error } = entry;
  const status = entry.status_code === null ? "" : ` (${entry.status_code})`;
  const what = `Attempt ${attempt}${triggers[trigger]}: `;
  const waited = queue < toldQueueMs ? "" : `It waited ${showDuration(queue)} for its turn.`;
  const by = replay === null ? undefined : <ReplayLink tenant={tenant} replay={replay} />;
  if (error === null) {
    const title = `${what}accepted${status} within ${showDuration(latency)}`;
    if (waited === "" && by === undefined) return { tone: "ok", title };
    const more = (
      <>
        {waited} {by}
      </>
    );
    return { tone: "ok", title, more };
  }
  return {
    tone: "bad",
    title: `${what}failed${status} after ${showDuration(latency)}`,
    more: (
      <>
        <bdi>{error.message}</bdi>. {waited} {by}
      </>
    ),
  };
}

function replayLine(entry: Replay, tenant: string): Line {
  const { which, sent, replay, requested_by: by } = entry;
  const events = { dead: "dead events", missing: "missing events", all: "all events" }[which];
  return {
    tone: "info",
    title: `A replay of ${events} was asked for, ${sent ? "which sent this one again" : "which has not sent this one"}`,
    more: (
      <>
        <ReplayLink tenant={tenant} replay={replay} />
        {by !== null && (
          <>
            {" "}
            by the key <code>{by}</code>
          </>
        )}
      </>
    ),
  };
}

function ReplayLink({ tenant, replay }: { tenant: string; replay: string }) {
  return <Link href={tenantAddresses(tenant).replay(replay)}>The replay</Link>;
}

function detailOf({ detail }: { detail: string | null }): { more?: ComponentChildren } {
  return detail === null ? {} : { more: <bdi>{detail}</bdi> };
}

const clock = new Intl.DateTimeFormat(undefined, {
  ...{ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  fractionalSecondDigits: 3,
});

function clockText(at: string): string {
  return clock.format(new Date(at));
}
