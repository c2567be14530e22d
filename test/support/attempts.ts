/** Attempts at receivers that behave as the test says; what a test opens is closed after it. */

import { afterEach, vi } from "vitest";

import { createAttempter, type Attempter, type AttemptRequest } from "../../src/push/attempt.ts";
import { createEgressPolicy, type EgressPolicy } from "../../src/push/egress.ts";
import { startReceiver, type Behave, type Behaviour, type Receiver } from "./receiver.ts";

export const loopback = createEgressPolicy({ allow: ["127.0.0.0/8"] });

export const body = Buffer.from('{"type":"order.created","data":{"amount":4200}}');

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

export function closeAfterwards(close: () => Promise<void>): void {
  opened.push({ [Symbol.asyncDispose]: close });
}

export async function receiverThat(
  behaviour?: Behaviour | Behave,
  options?: Parameters<typeof startReceiver>[1],
): Promise<Receiver> {
  const receiver = await startReceiver(behaviour, options);
  closeAfterwards(receiver.stop);
  return receiver;
}

export function attempterOf(policy: EgressPolicy = loopback, proxy?: string): Attempter {
  const attempter = createAttempter({ policy, proxy });
  closeAfterwards(attempter.stop);
  return attempter;
}

export function push(url: string, timeoutMs = 2_000): AttemptRequest {
  const headers = { "content-type": "application/json", "webhook-id": "evt_2026-11-23_a" };
  return { url, headers, body, timeoutMs };
}

/** One attempt at a receiver that behaves like this. */
export async function attemptAt(behaviour: Behaviour | Behave, timeoutMs?: number) {
  const receiver = await receiverThat(behaviour);
  const outcome = await attempterOf().attempt(push(receiver.url, timeoutMs));
  return { outcome, receiver };
}

/** A policy that permits loopback, and a name service that gives these addresses for any name. */
export function resolvingTo(...addresses: string[]) {
  const resolve = vi.fn(async () => addresses.map((address) => ({ address, family: 4 })));
  return { resolve, policy: createEgressPolicy({ allow: ["127.0.0.0/8"], resolve }) };
}
