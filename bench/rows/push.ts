/**
 * A backlog pushed to one fast endpoint: signed, and counted only when its outcome is recorded.
 * Beside it the last of these pushes is sent again and again, as it is, by a bare undici loop with
 * as many requests in flight.
 */
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { nowMs } from "../clock.ts";
import { atLeastOfBare, throughput } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { costsOf, takeTurns } from "../turns.ts";
import type { Row } from "./row.ts";

const inFlight = 64;

/** Longer than an outcome takes to be written, shorter than a retry. */
const quietMs = 200;

const lookMs = 10;

/** A backlog that was pushed is recorded within a fraction of this. */
const recordPatienceMs = 15_000;

/** A turn of the bare loop is no longer, however long the gateway's is. */
const bareMaxSeconds = 2.5;

type Backlog = {
  /** How many events there are for a turn; when they are all pushed, it ends. */
  readonly events: (seconds: number) => number;
  readonly bytes?: number;
  readonly share?: number;
};

export const pushRows: readonly Row[] = [
  {
    ...drainRow("push", "a backlog to one fast endpoint", {
      // More than a gateway of one process pushes, so that a turn ends before its backlog does.
      ...{ events: (seconds) => seconds * 15_000, share: 0.4 },
    }),
    core: true,
  },
  {
    ...drainRow("push-4kb", "events of 4 KiB to one fast endpoint", {
      ...{ events: (seconds) => seconds * 10_000, bytes: 4_096 },
    }),
    effort: { seconds: 0.8 },
  },
  {
    ...drainRow("push-200kb", "events of 200 KiB to one fast endpoint", {
      ...{ events: (seconds) => seconds * 500, bytes: 204_800 },
    }),
    effort: { seconds: 0.8 },
  },
  {
    ...drainRow("push-200k", "a backlog of 200,000 to its end", { events: () => 200_000 }),
    // As long as it takes.
    effort: { seconds: 20, rounds: 0.6 },
  },
];

function drainRow(name: string, what: string, { events, bytes = 0, share }: Backlog): Row {
  return {
    name,
    what: `${what}, ${inFlight} in flight, signed and recorded`,
    async measure(rig, turns) {
      const { bare, receiver } = rig.workers;
      const backlog = Math.ceil(events(turns.seconds));
      let again = 0;
      const taken = await takeTurns(rig, turns, {
        async prepare(side) {
          const tenant = await side.createTenant("push");
          await rig.seed(side, [tenant], backlog, bytes);
          return tenant;
        },
        async turn({ side, prepared: tenant, seconds }) {
          const turn = await drain(rig, side, { tenant, backlog, seconds });
          again += turn.again;
          return turn;
        },
        async bare({ seconds }) {
          const sample = await receiver.call("sample");
          const urls = [`${rig.receiverUrl}/hook`];
          const lasting = Math.min(seconds, bareMaxSeconds);
          const turn = await bare.call("post", { urls, ...sample, inFlight, seconds: lasting });
          await receiver.call("quiet", { ms: quietMs });
          return turn;
        },
      });
      return {
        figures: [throughput(taken, share === undefined ? undefined : atLeastOfBare(share))],
        costs: costsOf(taken),
        notes: [`${again} pushes arrived without being recorded when their turn ended`],
      };
    },
  };
}

/** Pushes for so long, or until the backlog is empty, and takes the endpoint away again. */
async function drain(
  rig: Rig,
  side: Side,
  { tenant, backlog, seconds }: { tenant: Tenant; backlog: number; seconds: number },
) {
  const { receiver } = rig.workers;
  await receiver.call("start");
  const { id } = (await side.request("POST", "/endpoints", {
    tenant: tenant.name,
    url: `${rig.receiverUrl}/hook`,
    max_in_flight: inFlight,
    start: "earliest",
  })) as { id: string };
  const endpoint = endpointUuid(id) ?? "";
  const received = await receiver.call("until", { count: backlog, seconds });
  if (received.count >= backlog) await recorded(rig, side, tenant, endpoint, backlog);
  const endAt = nowMs();
  const delivered = await countDelivered(side, tenant, endpoint);
  await side.request("DELETE", `/endpoints/${id}`);
  await receiver.call("quiet", { ms: quietMs });
  const rate = delivered / ((endAt - received.firstAt) / 1_000);
  return { rate, events: delivered, again: Math.max(0, received.count - delivered) };
}

async function recorded(
  rig: Rig,
  side: Side,
  tenant: Tenant,
  endpoint: string,
  count: number,
): Promise<void> {
  const deadline = nowMs() + recordPatienceMs;
  while ((await countDelivered(side, tenant, endpoint)) < count) {
    if (nowMs() > deadline) throw new Error("pushes arrived and were not recorded");
    await rig.pause(lookMs);
  }
}

async function countDelivered({ sql }: Side, tenant: Tenant, endpoint: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) from deliveries
    where tenant = ${tenant.id} and endpoint = ${endpoint} and status = 'delivered'`;
  return row?.count ?? 0;
}
