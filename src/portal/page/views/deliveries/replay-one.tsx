/** Replays one delivery, and follows the replay until it is over. */
import { useQueryClient } from "@tanstack/preact-query";
import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { useReplay } from "../replays/use-replay.ts";
import { waitingInWords, type ReplayData } from "../replays/words.ts";

export type Followed = {
  readonly button: ComponentChild;
  readonly replay: ReplayData | undefined;
  readonly isRunning: boolean;
};

export function useReplayOne(tenant: string, id: string): Followed {
  const queries = useQueryClient();
  const [replayId, setReplayId] = useState<string>();
  const { data: replay } = useReplay(tenant, replayId);
  const isRunning = replay?.status === "running";

  // What it did is in the delivery by then.
  useEffect(() => {
    if (replay === undefined || isRunning) return;
    void queries.invalidateQueries({ queryKey: ["delivery", tenant, id] });
    void queries.invalidateQueries({ queryKey: ["deliveries", tenant] });
  }, [replay?.id, isRunning]);

  const start = async () => {
    const params = { path: { id }, query: { tenant } };
    const made = await read(api.POST("/deliveries/{id}/replay", { params }));
    queries.setQueryData(["replays", tenant, "one", made.id], made);
    setReplayId(made.id);
  };
  const button = (
    <Button look="main" onPress={start} disabled={isRunning}>
      {isRunning ? "Replaying …" : "Replay"}
    </Button>
  );
  return { button, replay, isRunning };
}

export function FollowedReplay({ tenant, followed }: { tenant: string; followed: Followed }) {
  const { replay } = followed;
  return (
    <div role="status">
      {replay !== undefined && (
        <div class={`note ${toneOf(replay)}`}>
          <p>{inWords(replay)}</p>
          <Link href={tenantAddresses(tenant).replay(replay.id)}>See the replay</Link>
        </div>
      )}
    </div>
  );
}

function toneOf({ status, failed, waiting_for: waiting }: ReplayData): string {
  if (status === "running") return waiting === null ? "info" : "warn";
  return failed > 0 ? "bad" : "info";
}

function inWords({ status, sent, failed, waiting_for: waiting }: ReplayData): string {
  switch (status) {
    case "running":
      return waitingInWords(waiting) ?? "The replay was started; its outcome shows up here.";
    case "cancelled":
      return "The replay was cancelled before the event was sent.";
    case "completed":
      if (failed > 0)
        return "The replay is over: the receiver did not accept it. See the last attempt.";
      return sent > 0
        ? "The replay is over: the receiver accepted it."
        : "The replay is over, and had nothing to send: the event is not kept any more.";
  }
}
