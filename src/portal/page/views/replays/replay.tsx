/** One replay: how far it is, how fast it goes, what it waits for. */
import { useQueryClient } from "@tanstack/preact-query";
import { useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { EndpointLink, useEndpoints } from "../../parts/endpoints.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount, showShare } from "../../parts/number.ts";
import { Card, Facts, PageHead, Stats, type StatProps } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Progress } from "../../parts/progress.tsx";
import { Moment, showDuration } from "../../parts/time.tsx";
import { toast } from "../../parts/toast.ts";
import type { TenantView } from "../view.ts";
import { ReplayBadge } from "./progress.tsx";
import { ReplayDialog } from "./replay-dialog.tsx";
import { useReplay } from "./use-replay.ts";
import {
  howFar,
  isOfOne,
  kindNames,
  kindWords,
  paceOf,
  showSequence,
  waitingInWords,
  type Pace,
  type ReplayData,
  type Sample,
} from "./words.ts";
import "../deliveries/deliveries.css";

/** The pace is of the last while, not of all the time with its waits. */
const samplesMax = 20;

export const Replay: TenantView = ({ tenant, params: { id = "" } }) => {
  const { data, error, refetch, dataUpdatedAt } = useReplay(tenant, id);
  const trail = [{ to: tenantAddresses(tenant).replays, text: "Replays" }];
  const pace = usePace(data, dataUpdatedAt);
  if (data === undefined) {
    return (
      <>
        <PageHead title="Replay" trail={trail} />
        {error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />}
      </>
    );
  }
  const name = isOfOne(data) ? "one delivery" : kindNames[data.deliveries].toLowerCase();
  return (
    <>
      <PageHead
        title={`Replay of ${name}`}
        heading={
          <span class="row">
            Replay of {name} <ReplayBadge replay={data} />
          </span>
        }
        trail={trail}
        lead={isOfOne(data) ? undefined : kindWords[data.deliveries]}
        actions={<Actions tenant={tenant} replay={data} />}
      />
      <div class="stack">
        {error !== null && <ProblemNote error={error} retry={refetch} />}
        <HowFarCard replay={data} pace={pace} />
        <Stats stats={statsOf(data, pace)} />
        {data.failed > 0 && <NotAccepted tenant={tenant} replay={data} />}
        <Card title="What it sends">
          <ReplayFacts tenant={tenant} replay={data} />
        </Card>
      </div>
    </>
  );
};

function usePace(replay: ReplayData | undefined, at: number): Pace | undefined {
  const samples = useRef<readonly Sample[]>([]);
  if (replay?.status !== "running" || replay.waiting_for !== null) {
    samples.current = [];
    return undefined;
  }
  if (samples.current.at(-1)?.at !== at) {
    const sample = { at, done: replay.sent + replay.failed, share: howFar(replay).share ?? 0 };
    samples.current = [...samples.current, sample].slice(-samplesMax);
  }
  return paceOf(samples.current);
}

function HowFarCard({ replay, pace }: { replay: ReplayData; pace: Pace | undefined }) {
  const { share, words } = howFar(replay);
  const waiting = replay.status === "running" ? waitingInWords(replay.waiting_for) : undefined;
  return (
    <Card>
      <div class="stack">
        <Progress name="Progress of this replay" {...{ share, words }} />
        <div class="row apart" role="status">
          <span class="strong">{stateInWords(replay, words)}</span>
          {share !== undefined && replay.status === "running" && (
            <span class="soft">{showShare(share)}</span>
          )}
        </div>
        {waiting !== undefined && <p class="note warn">{waiting}</p>}
        {pace?.perSecond === 0 && (
          <p class="soft">
            Nothing has come of it in the last {showDuration(pace.spanMs)}: new events go first, and
            a receiver may have asked, by Retry-After, to be left alone for a while.
          </p>
        )}
        {pace?.leftMs !== undefined && (
          <p class="soft">About {showDuration(pace.leftMs)} left at the present pace.</p>
        )}
      </div>
    </Card>
  );
}

function stateInWords({ status, sent, failed }: ReplayData, words: string): string {
  switch (status) {
    case "running":
      return words;
    case "cancelled":
      return `Cancelled after ${showCount(sent + failed)}. What was sent stays sent.`;
    case "completed":
      if (sent + failed === 0) return "Completed. There was nothing to send.";
      return failed === 0
        ? `Completed. All ${showCount(sent)} were accepted.`
        : `Completed. ${showCount(sent)} were accepted, ${showCount(failed)} were not.`;
  }
}

function statsOf({ sent, failed, total, status }: ReplayData, pace: Pace | undefined): StatProps[] {
  const left = total === null ? "Not known" : showCount(Math.max(0, total - sent - failed));
  return [
    { label: "Accepted", value: showCount(sent) },
    { label: "Not accepted", value: showCount(failed), bad: failed > 0 },
    ...(status === "running"
      ? [
          { label: "Left", value: left },
          { label: "Pace", value: pace === undefined ? "–" : `${perSecond(pace)} a second` },
        ]
      : []),
  ];
}

function perSecond({ perSecond: pace }: Pace): string {
  return pace < 10 ? pace.toFixed(1) : showCount(Math.round(pace));
}

function NotAccepted({ tenant, replay }: { tenant: string; replay: ReplayData }) {
  const { endpoint, since, until } = replay;
  const search = { endpoint, status: "dead", since: since ?? "", until: until ?? "" };
  return (
    <div class="note bad">
      <p>
        The receiver did not accept {showCount(replay.failed)} of them. Their deliveries tell why.
      </p>
      <Link href={tenantAddresses(tenant).deliveries(search)}>Show the dead letters</Link>
    </div>
  );
}

function ReplayFacts({ tenant, replay }: { tenant: string; replay: ReplayData }) {
  const endpoints = useEndpoints(tenant);
  const at = (time: string | null, otherwise: string) =>
    time === null ? otherwise : <Moment at={time} />;
  return (
    <Facts
      facts={[
        ["Endpoint", <EndpointLink id={replay.endpoint} {...{ tenant, endpoints }} />],
        ["Event types", replay.types?.join(", ") ?? "All that the endpoint wants"],
        ["Appended from", at(replay.since, "As far back as events are kept")],
        ["Appended until", at(replay.until, "Where the endpoint stood when it was asked for")],
        [
          "Sequences",
          `After ${showSequence(replay.after)} up to ${showSequence(replay.through)}; done up to ${showSequence(replay.position)}`,
        ],
        ["Started", at(replay.created_at, "")],
        ["Finished", at(replay.finished_at, "Not yet")],
        ["Asked for by", <span class="mono">{replay.requested_by ?? "Not kept"}</span>],
        ["Id", <span class="mono">{replay.id}</span>],
      ]}
    />
  );
}

function Actions({ tenant, replay }: { tenant: string; replay: ReplayData }) {
  const [asked, setAsked] = useState<"cancel" | "again">();
  const close = () => setAsked(undefined);
  const { endpoint, deliveries: status, since, until, types } = replay;
  const initial = {
    status,
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(types === null ? {} : { types }),
  };
  return (
    <>
      {replay.status === "running" ? (
        <Button look="danger" onPress={() => setAsked("cancel")}>
          Cancel the replay
        </Button>
      ) : (
        <Button onPress={() => setAsked("again")}>Start another</Button>
      )}
      {asked === "cancel" && <CancelDialog {...{ tenant, replay }} onClose={close} />}
      {asked === "again" && <ReplayDialog {...{ tenant, endpoint, initial }} onClose={close} />}
    </>
  );
}

function CancelDialog(props: { tenant: string; replay: ReplayData; onClose: () => void }) {
  const { tenant, replay, onClose } = props;
  const queries = useQueryClient();
  const cancel = async () => {
    const params = { path: { id: replay.id }, query: { tenant } };
    await read(api.DELETE("/replays/{id}", { params }));
    await queries.invalidateQueries({ queryKey: ["replays", tenant] });
    toast.done("The replay was cancelled");
    onClose();
  };
  return (
    <Dialog
      title="Cancel this replay"
      onClose={onClose}
      closeText="Keep it running"
      actions={
        <Button look="danger" onPress={cancel}>
          Cancel the replay
        </Button>
      }
    >
      <p>
        Nothing more is sent for it. What was sent stays sent, and attempts under way still count. A
        cancelled replay cannot go on; another one can be started.
      </p>
    </Dialog>
  );
}
