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

/** More than a gateway of one process pushes, so that a turn ends before its backlog does. */
const backlogPerSecond = 15_000;

/** Longer than an outcome takes to be written, shorter than a retry. */
const quietMs = 200;

const lookMs = 10;

/** A backlog that was pushed is recorded within a fraction of this. */
const recordPatienceMs = 15_000;

export const push: Row = {
  name: "push",
  what: `a backlog to one fast endpoint, ${inFlight} in flight, signed and recorded`,
  core: true,
  async measure(rig, turns) {
    const { bare, receiver } = rig.workers;
    const backlog = Math.ceil(turns.seconds * backlogPerSecond);
    let again = 0;
    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const tenant = await side.createTenant("push");
        await rig.seed(side, tenant, backlog);
        return tenant;
      },
      async turn({ side, prepared: tenant, seconds }) {
        const turn = await drain(rig, side, { tenant, backlog, seconds });
        again += turn.again;
        return turn;
      },
      async bare({ seconds }) {
        const request = await receiver.call("sample");
        const url = `${rig.receiverUrl}/hook`;
        const turn = await bare.call("post", { url, ...request, inFlight, seconds });
        await receiver.call("quiet", { ms: quietMs });
        return turn;
      },
    });
    return {
      figures: [throughput(taken, atLeastOfBare(0.4))],
      costs: costsOf(taken),
      notes: [`${again} pushes arrived without being recorded when their turn ended`],
    };
  },
};

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
