/** Hosts whose names lead nowhere, to where no push may go, or elsewhere each time. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { failureStage, type Target } from "../support/failures.ts";
import { report } from "../support/failure-report.ts";
import type { AppendedEvent } from "../support/failure-report.ts";
import { startNameServer, type NameServer } from "../support/name-server.ts";
import { waitUntil } from "../support/wait.ts";
import { startTestGateway } from "../support/gateway.ts";

let names: NameServer;

beforeAll(async () => {
  names = await startNameServer();
});

afterAll(() => names[Symbol.asyncDispose]());

/** One loopback address stands for the internet, and all the others for the network inside. */
const outside = "127.0.0.1";
const inside = "127.0.0.2";

const { receiverThat, targetAt, client } = failureStage(async (opened) =>
  opened.use(await startTestGateway({ TIDEGATE_ALLOW_ADDRESSES: `${outside}/32` })),
);

const twice = { retry_schedule: ["1s"] };

test("a name that does not resolve is told so, also to an endpoint made before it did", async () => {
  const target = await targetAt("http://nobody.example/hook", twice);
  const event = await target.append();
  await target.until(({ dead }) => dead === 1);
  const measured = await target.measure([event]);
  expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
  expect(measured.told).toBe("dns: no such host (2 attempts failed)");
  report("DNS: name does not resolve", measured);
});

test("a name that resolves to a private address is refused, at creation as well", async () => {
  const internal = await receiverThat(undefined, { host: inside });
  const settings = { url: `http://intranet.example:${internal.port}/hook`, ...twice };
  const target = await targetAt(settings.url, twice); // It resolves to nothing yet.
  names.set("intranet.example", inside);
  const event = await target.append();
  await target.until(({ dead }) => dead === 1);
  const measured = await target.measure([event], internal);
  expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
  expect(measured.told).toBe(
    "address: intranet.example resolves to an address that is not allowed (2 attempts failed)",
  );
  const created = await client().call("POST", "/endpoints", { tenant: target.tenant, ...settings });
  expect(created).toMatchObject({ status: 422 });
  expect(internal.connections.accepted).toBe(0);
  report("DNS: name resolves to a private address", measured);
});

test("a name that changes between checks leads nowhere that no check has seen", async () => {
  const receiver = await receiverThat({ kind: "answer", headers: { connection: "close" } });
  const internal = await receiverThat(undefined, { host: inside, port: receiver.port });
  names.set("rebinding.example", outside);
  const target = await targetAt(`http://rebinding.example:${receiver.port}/hook`, {
    retry_schedule: Array<string>(20).fill("1s"),
  });
  const events = [await target.append()];
  await target.settled(events);

  names.set("rebinding.example", inside);
  const refused = await untilRefused(target, events);
  expect(refused).toBe("address: rebinding.example resolves to an address that is not allowed");

  names.set("rebinding.example", outside);
  await target.settled(events, 20_000);
  const measured = await target.measure(events, receiver);
  expect(measured).toMatchObject({ delivered: events.length, duplicates: 0, dead: 0, lost: 0 });
  expect(names.asked("rebinding.example")).toBeGreaterThan(1);
  expect(internal.connections.accepted).toBe(0);
  const note = `${internal.connections.accepted} connections to the private address`;
  report("DNS: name changes between checks", measured, note);
});

/** An answer is used for some seconds, so the first events after the change still go outside. */
function untilRefused(target: Target, events: AppendedEvent[]): Promise<string> {
  return waitUntil(
    async () => {
      events.push(await target.append());
      await target.until(({ position }) => Number(position) >= Number(events.at(-1)?.sequence));
      const { last_failure: failure } = await client().endpoint(target.endpoint.id);
      return failure?.error;
    },
    { deadlineMs: 20_000, what: "the refusal of the changed name" },
  );
}
