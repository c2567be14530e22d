/** One event: what it says, and what became of it. */
import { useMemo } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import type { FeedEvent } from "../../parts/events.ts";
import { ButtonLink, CopyButton } from "../../parts/button.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showBytes, showCount } from "../../parts/number.ts";
import { Card, Facts, PageHead } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Moment } from "../../parts/time.tsx";
import type { TenantView } from "../view.ts";
import { EventText, useEventText } from "./event-text.tsx";
import { Life } from "./life.tsx";
import "./events.css";

const utf8 = new TextEncoder();

export const Event: TenantView = ({ tenant, params }) => {
  const id = params["id"] ?? "";
  const to = tenantAddresses(tenant);
  const { data: text, error, refetch } = useEventText(tenant, id);
  const event = useMemo(
    () => (text === undefined ? undefined : (JSON.parse(text) as FeedEvent)),
    [text],
  );
  return (
    <>
      <PageHead
        title={event?.type ?? "Event"}
        trail={[{ to: to.feed(), text: "Events" }]}
        lead={<span class="mono endless">{id}</span>}
        actions={
          <>
            <CopyButton text={id} what="the event's id" />
            <ButtonLink to={to.deliveries({ event: id })}>Deliveries</ButtonLink>
          </>
        }
      />
      {event === undefined &&
        (error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />)}
      {event !== undefined && (
        <div class="stack">
          <Life tenant={tenant} id={id} />
          <Card title="What it says">
            <Envelope tenant={tenant} event={event} bytes={utf8.encode(text ?? "").length} />
          </Card>
          <Card title="Data">
            <EventText tenant={tenant} id={id} />
          </Card>
        </div>
      )}
    </>
  );
};

/** Shown by name below, or of no use to a person. */
const ownMembers: ReadonlySet<string> = new Set([
  ...["specversion", "id", "source", "type", "time", "subject", "datacontenttype"],
  ...["dataversion", "tenant", "sequence", "data", "data_base64"],
]);

function Envelope(props: { tenant: string; event: FeedEvent; bytes: number }) {
  const { tenant, event, bytes } = props;
  const to = tenantAddresses(tenant);
  const { type, subject, sequence, time, source, datacontenttype, dataversion } = event;
  const extensions = Object.entries(event).filter(([name]) => !ownMembers.has(name));
  const facts: [string, ComponentChildren][] = [
    ["Type", <Link href={to.eventType(type)}>{type}</Link>],
    ["Sequence", showCount(Number(sequence))],
    ["Happened", <Moment at={time} />],
    ["Source", <bdi>{source}</bdi>],
    ["Data", `${datacontenttype}, version ${dataversion}`],
    ["Size of the envelope", showBytes(bytes)],
  ];
  if (subject !== undefined) {
    const others = to.feed({ subjects: subject.replaceAll(/[\\,]/g, "\\$&"), from: "earliest" });
    facts.splice(1, 0, [
      "Subject",
      <>
        <bdi>{subject}</bdi> <Link href={others}>All events of this subject</Link>
      </>,
    ]);
  }
  for (const [name, value] of extensions) {
    facts.push([name, <bdi>{typeof value === "string" ? value : JSON.stringify(value)}</bdi>]);
  }
  return <Facts facts={facts} />;
}
