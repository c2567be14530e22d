/** What an outage costs behind a circuit breaker, and what a rotated secret changes of a push. */
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import type { ShownEndpoint } from "../support/client.ts";
import { failureStage } from "../support/failures.ts";
import { report } from "../support/failure-report.ts";
import { eventOf, header } from "../support/pushes.ts";
import type { Received } from "../support/receiver.ts";

const { pushTo, client } = failureStage();

type Circuit = { state: "closed" | "open" | "half_open"; since: string; next_probe_at: string };

function circuitOf(endpoint: ShownEndpoint): Circuit {
  return (endpoint as ShownEndpoint & { circuit: Circuit }).circuit;
}

test("an outage opens the circuit, and its dead letters are delivered when it closes", async () => {
  const target = await pushTo({ kind: "answer", status: 500 }, { retry_schedule: [] });
  const events = await target.appendMany(30);
  const open = await target.until(
    (endpoint) => circuitOf(endpoint).state === "open" && endpoint.dead > 0,
    20_000,
  );
  expect(Date.parse(circuitOf(open).next_probe_at)).not.toBeNaN();
  expect(open.lag.events).toBeGreaterThan(0); // The rest waits in the log, with no attempt made.

  target.receiver.behave({ kind: "answer" });
  const closed = await target.until(
    (endpoint) => circuitOf(endpoint).state === "closed" && endpoint.dead === 0,
    60_000,
  );
  expect(closed.status).toBe("active");
  await target.settled(events, 30_000);
  const measured = await target.measure(events, target.receiver);
  expect(measured).toMatchObject({ delivered: events.length, dead: 0, lost: 0 });
  report("outage, its circuit and its dead letters", measured, `${open.dead} were dead`);
});

test("a rotated secret signs the same bytes under the same id", async () => {
  const target = await pushTo(
    ({ headers }) => ({ kind: "answer", status: headers["tidegate-attempt"] === "3" ? 200 : 429 }),
    { retry_schedule: ["2s", "2s"] },
  );
  const event = await target.append({ amount: 1.5 });
  const before = target.endpoint.secret;
  await target.until(({ retrying }) => retrying === 1);
  await client().expectOk("POST", `/endpoints/${target.endpoint.id}/rotate-secret`, {});
  const after = String(
    (await client().expectOk("GET", `/endpoints/${target.endpoint.id}/secret`))["secret"],
  );
  expect(after).not.toBe(before);
  await target.settled([event], 20_000);
  const { requests } = target.receiver;
  expect(new Set(requests.map(eventOf))).toEqual(new Set([event.id]));
  const bodies = new Set(requests.map(({ body }) => body.toString("hex")));
  const signatures = new Set(requests.map(header("webhook-signature")));
  expect([bodies.size, signatures.size]).toEqual([1, requests.length]);
  const last = requests.at(-1);
  if (last === undefined) throw new Error("no request");
  for (const secret of [before, after]) expect(() => verify(secret, last)).not.toThrow();
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ delivered: 1, lost: 0 });
  const notes = [`${bodies.size} body`, `${signatures.size} signatures`];
  report("secret rotated between attempts", measured, ...notes);
});

function verify(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
