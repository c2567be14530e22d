/** Pushes as the gateway makes them, of events that stand in a real log. */
import { sign, signPlace } from "../../src/client/verify.ts";
import type { TestGateway } from "./gateway.ts";
import type { ReadEvent } from "./client.ts";

export const inboxSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** What an endpoint with a filter would be pushed. */
export type Pushable = {
  readonly event: ReadEvent;
  readonly body: string;
  readonly sequence: number;
  /** Of the event before it that matches. */
  readonly previous: number;
  readonly cursor: string;
};

/** Appends so many events, of which two in three match `order.*`, and gives those that do. */
export async function appendPushables(
  gateway: TestGateway,
  tenant: string,
  count: number,
  members: object = {},
): Promise<Pushable[]> {
  const events = Array.from({ length: count }, (_, n) => ({
    type: n % 3 === 1 ? "invoice.paid" : "order.created",
    data: { n },
    ...members,
  }));
  const results = await gateway.append(tenant, ...events);
  const pushables: Pushable[] = [];
  for (const { id, cursor } of results) {
    const { text } = await gateway.call("GET", `/events/${id}`);
    const event = JSON.parse(text) as ReadEvent;
    if (!event.type.startsWith("order.")) continue;
    const sequence = Number(event.sequence);
    const previous = pushables.at(-1)?.sequence ?? 0;
    pushables.push({ event, body: text, sequence, previous, cursor });
  }
  return pushables;
}

export async function pushRequest(
  { event, body, sequence, previous, cursor }: Pushable,
  headers: Readonly<Record<string, string>> = {},
): Promise<Request> {
  const place = {
    "content-type": "application/json",
    ...(await sign(inboxSecret, event.id, body)),
    "tidegate-sequence": digits(sequence),
    "tidegate-previous-sequence": digits(previous),
    "tidegate-cursor": cursor,
    "tidegate-attempt": "1",
    ...headers,
  };
  return new Request("http://receiver.test/hook", {
    method: "POST",
    headers: { ...place, ...(await signPlace(inboxSecret, place)) },
    body,
  });
}

function digits(sequence: number): string {
  return String(sequence).padStart(20, "0");
}
