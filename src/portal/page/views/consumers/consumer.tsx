/** One consumer: how far behind it is, how it reads, and how to put it elsewhere. */
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { TextBlock } from "../../parts/json.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount, showMany } from "../../parts/number.ts";
import { Card, Facts, PageHead, Stats } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Ago, showDuration } from "../../parts/time.tsx";
import { liveMs } from "../../query.ts";
import type { TenantView } from "../view.ts";
import { shortHeadroomMs } from "./lag.tsx";
import { RemoveConsumer, SeekConsumer } from "./changes.tsx";

type Shown = Schemas["Consumer"];

export const Consumer: TenantView = ({ tenant, params }) => {
  const name = params["name"] ?? "";
  const to = tenantAddresses(tenant);
  const [open, setOpen] = useState<"seek" | "remove">();
  const { data, error, refetch } = useQuery({
    queryKey: ["consumers", tenant, name],
    queryFn: ({ signal }) =>
      read(api.GET("/consumers/{name}", { params: { path: { name }, query: { tenant } }, signal })),
    refetchInterval: liveMs,
  });
  const close = () => setOpen(undefined);
  return (
    <>
      <PageHead
        title={name}
        trail={[{ to: to.consumers, text: "Consumers" }]}
        actions={
          data !== undefined && (
            <>
              <Button onPress={() => setOpen("seek")}>Put it elsewhere</Button>
              <Button look="danger" onPress={() => setOpen("remove")}>
                Remove
              </Button>
            </>
          )
        }
      />
      <div class="stack">
        {error !== null && <ProblemNote error={error} retry={refetch} />}
        {data === undefined && error === null && <Loading />}
        {data !== undefined && <State consumer={data} />}
        {data !== undefined && <HowTo tenant={tenant} name={name} />}
      </div>
      {open === "seek" && <SeekConsumer tenant={tenant} name={name} onClose={close} />}
      {open === "remove" && <RemoveConsumer tenant={tenant} name={name} onClose={close} />}
    </>
  );
};

function State({ consumer }: { consumer: Shown }) {
  const { lag, position, handed_out: handedOut, types, subjects } = consumer;
  const ahead = Number(handedOut) - Number(position);
  return (
    <>
      <Warning {...consumer} />
      <Stats
        stats={[
          {
            label: "Events to read",
            value: showCount(lag.events),
            note: lag.events === 0 ? "It has read all there is" : "After its position",
          },
          {
            label: "Behind by",
            value: lag.events === 0 ? "–" : showDuration(lag.seconds * 1_000),
            note: "Since the first of them was appended",
          },
          {
            label: "Position",
            value: showCount(Number(position)),
            note:
              ahead > 0
                ? `${showCount(ahead)} more are handed out and not acknowledged`
                : "The sequence up to which all is acknowledged",
          },
        ]}
      />
      <Card title="What it reads">
        <Facts
          facts={[
            ["Types", types === null ? "All" : types.join(", ")],
            ["Subjects", subjects === null ? "All" : <bdi>{subjects.join(", ")}</bdi>],
            ["Events are kept", keptText(consumer)],
            ["Created", <Ago at={consumer.created_at} />],
            ["Changed", <Ago at={consumer.updated_at} />],
          ]}
        />
      </Card>
    </>
  );
}

function keptText({ retention_headroom_seconds: seconds }: Shown): string {
  if (seconds === null) return "Nothing waits to be read, so nothing can be lost";
  return `The first event after its position expires in ${showDuration(seconds * 1_000)}`;
}

function Warning({ lost, retention_headroom_seconds: seconds }: Shown) {
  if (lost > 0) {
    return (
      <div class="note bad" role="alert">
        <h2>{lost === 1 ? "1 event was lost" : `${showMany(lost, "event")} were lost`}</h2>
        <p>
          They expired before this consumer had acknowledged them. It reads nothing more until you
          put it elsewhere: at the oldest event, to go on with what is left.
        </p>
      </div>
    );
  }
  if (seconds === null || seconds * 1_000 > shortHeadroomMs) return null;
  return (
    <div class="note warn" role="alert">
      <h2>Events will be lost soon</h2>
      <p>
        The first event that it has not read expires in {showDuration(seconds * 1_000)}. Let it read
        and acknowledge, or put it elsewhere if it does not need them.
      </p>
    </div>
  );
}

function HowTo({ tenant, name }: { tenant: string; name: string }) {
  const path = `${location.origin}/consumers/${encodeURIComponent(name)}`;
  const query = `tenant=${encodeURIComponent(tenant)}`;
  const reading = [
    `curl '${path}/events?${query}&limit=100&wait=20' \\`,
    '  -H "authorization: Bearer $KEY"',
  ];
  const acknowledging = [
    `curl '${path}/ack?${query}' \\`,
    '  -H "authorization: Bearer $KEY" \\',
    '  -H "content-type: application/json" \\',
    `  -d '{"cursor":"THE CURSOR OF THE PAGE"}'`,
  ];
  return (
    <Card title="How to read">
      <div class="stack">
        <p>
          Read a page. It comes again until it is acknowledged, so nothing is lost when your program
          stops in the middle. With <code>wait</code> the answer comes as soon as there is an event.
        </p>
        <TextBlock text={reading.join("\n")} what="the command that reads" />
        <p>
          Process it, then acknowledge its cursor. That acknowledges all the pages before it, too.
        </p>
        <TextBlock text={acknowledging.join("\n")} what="the command that acknowledges" />
      </div>
    </Card>
  );
}
