/**
 * Receipts through a cursor of endpoints that keep the order of each subject, and are behind with
 * some of them: nothing that was settled is sent, and nothing is settled that nobody was shown.
 */
import { expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Page } from "../support/client.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { sequenceOf, sequencesOf } from "../support/pushes.ts";
import { deadlineMs, gate, receiptsOf } from "../support/receipts.ts";
import { waitUntil } from "../support/wait.ts";

const suite = openPushSuite();
const { pushTo, receiverThat } = suite;
const receipts = receiptsOf(() => suite.client);

const accept = { kind: "answer" } as const;
const refuse = { kind: "answer", status: 400 } as const;

/** More than is kept in memory of a log. */
const large = Array.from({ length: 7 }, () => ({ type: "order.large", data: "x".repeat(1e6) }));

const ordered = { ordering: "subject", types: ["order.paid"], retry_schedule: ["1h"] };

const paid = { type: "order.paid", subject: "a" };

async function blocked(id: string): Promise<number> {
  const endpoint = endpointUuid(id) ?? null;
  return (await suite.sql`select from blocked_subjects where endpoint = ${endpoint}`).length;
}

test("a push under way that fails after a receipt leaves nothing of its subject to be sent", async () => {
  const { released, release } = gate();
  const { tenant, receiver, id } = await pushTo(async (request) => {
    if (sequenceOf(request) !== 1) return accept;
    await released;
    return refuse;
  }, ordered);
  const [, , third] = await suite.gateway.append(tenant, paid, paid, paid);
  await receiver.received(1);
  await receipts.send(id, { through: third?.cursor, status: "processed" });
  release();
  await receipts.when(id, ({ settled }) => settled?.includes(1) === true);
  await suite.gateway.append(tenant, paid);
  await receipts.when(id, ({ delivered }) => delivered?.includes(4) === true);
  await waitUntil(async () => (await blocked(id)) === 0, { deadlineMs });
  expect(sequencesOf(receiver.requests)).toEqual([1, 4]);
});

/**
 * The lane has passed over an event of a subject that it is behind with, which is not written yet,
 * when a receipt has it opened anew. It comes to that event later than it finds that nothing else of
 * the subject is left, since much lies between.
 */
test("a receipt settles nothing that was neither read nor pushed when a lane was opened anew", async () => {
  const { released, release } = gate();
  const { tenant, receiver, id } = await pushTo(async (request) => {
    if (sequenceOf(request) > 1) await released;
    return refuse;
  }, ordered);
  const [first] = await suite.gateway.append(tenant, paid);
  await suite.client.endpointWhen(id, ({ retrying }) => retrying === 1, deadlineMs);
  const beside = await receiverThat(accept);
  const settings = { url: beside.url, types: ordered.types };
  await suite.client.createEndpoint(tenant, settings);
  // How far it has come over this is written after five seconds at most, and then not for as long.
  await suite.gateway.append(tenant, { type: "order.created" });
  await suite.client.endpointWhen(id, ({ position }) => Number(position) === 2, deadlineMs);
  const last = (await suite.gateway.append(tenant, ...large, paid)).at(-1);
  // By then the other lane has read it, too.
  await beside.received(1, deadlineMs);
  await receipts.send(id, { through: first?.cursor, status: "processed" });
  await receiver.received(2, deadlineMs);

  const path = `/endpoints/${id}/missed`;
  const { events, cursor } = (await suite.client.expectOk("GET", path)) as Page;
  const { position } = await receipts.send(id, { through: cursor, status: "processed" });
  release();
  const isSettled = Number(position) >= Number(last?.sequence);
  const isRead = events.some(({ sequence }) => sequence === last?.sequence);
  expect({ isSettled, isRead }).toEqual({ isSettled, isRead: isSettled });
});
