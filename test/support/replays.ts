/** Replays, asked for and waited for as their users do. */
import type { Client, Json } from "./client.ts";
import type { Received } from "./receiver.ts";
import { waitUntil } from "./wait.ts";

export type ShownReplay = {
  readonly id: string;
  readonly endpoint: string;
  readonly deliveries: string;
  readonly status: "running" | "completed" | "cancelled";
  readonly waiting_for: string | null;
  readonly after: string;
  readonly through: string;
  readonly position: string;
  readonly total: number | null;
  readonly sent: number;
  readonly failed: number;
};

/** Far more than it takes, on a machine that does much else. */
const deadlineMs = 20_000;

export async function askForReplay(
  client: Client,
  endpoint: string,
  wanted: Json,
): Promise<ShownReplay> {
  return (await client.expectOk("POST", `/endpoints/${endpoint}/replays`, wanted)) as ShownReplay;
}

export async function replayDelivery(client: Client, delivery: string): Promise<ShownReplay> {
  return (await client.expectOk("POST", `/deliveries/${delivery}/replay`)) as ShownReplay;
}

export async function replayWhen(
  client: Client,
  { id }: Pick<ShownReplay, "id">,
  isWanted: (replay: ShownReplay) => boolean,
): Promise<ShownReplay> {
  let last: ShownReplay | undefined;
  try {
    return await waitUntil(
      async () => {
        last = (await client.expectOk("GET", `/replays/${id}`)) as ShownReplay;
        return isWanted(last) && last;
      },
      { deadlineMs },
    );
  } catch (cause) {
    throw new Error(`the replay stayed ${JSON.stringify(last)}`, { cause });
  }
}

export function whenCompleted(client: Client, replay: Pick<ShownReplay, "id">) {
  return replayWhen(client, replay, ({ status }) => status === "completed");
}

/** Of one replay, or of none. */
export function pushesOf(requests: readonly Received[], replay: string | undefined): Received[] {
  return requests.filter(({ headers }) => headers["tidegate-replay"] === replay);
}

export function sequencesOf(requests: readonly Received[]): number[] {
  return requests.map(({ headers }) => Number(headers["tidegate-sequence"]));
}
