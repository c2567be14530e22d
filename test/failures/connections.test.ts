/** Connections that do not come about or do not hold, and networks that carry nothing. */
import { expect, test } from "vitest";
import { failureStage } from "../support/failures.ts";
import { report, secondsText } from "../support/failure-report.ts";
import { eventOf } from "../support/pushes.ts";
import { startProxy } from "../support/proxy.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const { pushTo, receiverThat, targetAt, open } = failureStage();

const twice = { retry_schedule: ["1s"] };

test("a connection that is reset before the response is tried once more at once", async () => {
  const target = await pushTo({ kind: "reset", when: "before-head" }, twice);
  const event = await target.append();
  await target.until(({ dead }) => dead === 1);
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
  expect(measured.told).toBe("reset: connection closed before a response (2 attempts failed)");
  const { requests } = target.receiver;
  expect(requests).toHaveLength(4);
  report("connection reset before the response", measured, `${requests.length} requests`);
});

test("a connection that is reset during the response is a failed attempt", async () => {
  const target = await pushTo({ kind: "reset", when: "in-body" }, twice);
  const event = await target.append();
  await target.until(({ dead }) => dead === 1);
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
  expect(measured.told).toBe(
    "reset: connection closed before the body was finished (2 attempts failed)",
  );
  expect(target.receiver.requests).toHaveLength(2);
  report("connection reset during the response", measured);
});

test("a connection that is reset after the response costs nothing, then or later", async () => {
  const target = await pushTo({ kind: "answer" }, twice);
  const first = await target.append();
  await target.settled([first]);
  target.receiver.reset();
  const second = await target.append();
  await target.settled([second]);
  const events = [first, second];
  const measured = await target.measure(events, target.receiver);
  expect(measured).toMatchObject({ delivered: 2, attempts: 2, duplicates: 0, told: null, lost: 0 });
  expect(target.receiver.connections.accepted).toBe(2);
  report("connection reset after the response", measured);
});

test("a connection that is refused is told so, and the event goes out later", async () => {
  const gone = await startReceiver();
  await gone.stop();
  const target = await targetAt(gone.url, { retry_schedule: Array<string>(20).fill("1s") });
  const event = await target.append();
  const refused = await target.until(({ retrying }) => retrying === 1);
  expect(refused.last_failure?.error).toBe("connect: connection refused");
  const back = await receiverThat(undefined, { port: gone.port });
  await target.settled([event], 20_000);
  const measured = await target.measure([event], back);
  expect(measured).toMatchObject({ delivered: 1, duplicates: 0, lost: 0 });
  report("connection refused", measured);
});

test("a network that drops what it is given loses nothing once it is healed", async () => {
  const receiver = await receiverThat();
  const network = open(await startProxy(receiver.url));
  const target = await targetAt(network.url, {
    timeout_ms: 1_000,
    retry_schedule: Array<string>(20).fill("1s"),
  });
  const before = await target.append();
  await target.settled([before]);

  network.silence();
  const during = await target.appendMany(20);
  const cut = await target.until(({ retrying }) => retrying > 0);
  expect(cut.last_failure?.error).toBe("timeout: no response head in 1 s");
  expect(receiver.requests).toHaveLength(1);

  await network.restore();
  const healedAt = performance.now();
  const after = await target.append();
  const events = [before, ...during, after];
  await target.settled(events, 30_000);
  const healedMs = performance.now() - healedAt;
  // What lay in the network arrives after all, beside what was sent again.
  await waitUntil(() => new Set(receiver.requests.map(eventOf)).size === events.length);
  const measured = await target.measure(events, receiver);
  expect(measured).toMatchObject({ delivered: events.length, dead: 0, lost: 0 });
  const note = `whole again ${secondsText(healedMs)} after it healed`;
  report("network partition, and its healing", measured, note);
});
