/** What tests of receipts say again and again. */
import type { Client, Json } from "./client.ts";
import { waitUntil } from "./wait.ts";

/** The machine may be busy. */
export const deadlineMs = 20_000;

export type ShownDelivery = {
  readonly id: string;
  readonly endpoint: string;
  readonly status: string;
  readonly attempts: number;
  readonly first_attempt_at: string | null;
  readonly last_error: string | null;
  readonly next_attempt_at: string | null;
  readonly event: { readonly id: string; readonly sequence: string };
  readonly receipt: { readonly status: string; readonly detail: string | null } | null;
};

/** The sequences of an endpoint's deliveries, by status. */
export type Standing = Readonly<Record<string, number[]>>;

export function receiptsOf(client: () => Client) {
  return { send, outcomes, standing, when, delivery };

  async function send(endpoint: string, receipt: Json): Promise<Json> {
    return client().expectOk("POST", "/receipts", { endpoint, ...receipt });
  }

  /** Of a receipt for each of these events. */
  async function outcomes(
    endpoint: string,
    events: readonly string[],
    more: Json = {},
  ): Promise<string[]> {
    const { results } = await send(endpoint, { events, status: "processed", ...more });
    return (results as { outcome: string }[]).map(({ outcome }) => outcome);
  }

  async function standing(id: string): Promise<Standing> {
    const path = `/endpoints/${id}/deliveries?limit=1000`;
    const { deliveries } = await client().expectOk("GET", path);
    const found: Record<string, number[]> = {};
    for (const { status, event } of (deliveries as ShownDelivery[]).toReversed()) {
      (found[status] ??= []).push(Number(event.sequence));
    }
    return found;
  }

  async function when(id: string, isWanted: (found: Standing) => boolean): Promise<void> {
    let last: Standing = {};
    try {
      await waitUntil(async () => isWanted((last = await standing(id))), { deadlineMs });
    } catch (cause) {
      throw new Error(`the deliveries stayed ${JSON.stringify(last)}`, { cause });
    }
  }

  async function delivery(id: string, event: string): Promise<ShownDelivery> {
    const { deliveries } = await client().expectOk("GET", `/events/${event}/deliveries`);
    const found = (deliveries as ShownDelivery[]).find(({ endpoint }) => endpoint === id);
    if (found === undefined) throw new Error(`${event} has no delivery to ${id}`);
    return found;
  }
}

/** What holds answers back until it is released. */
export function gate() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  return { released, release };
}
