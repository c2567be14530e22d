/** The event that every row appends, pushes and reads: an order of about 220 bytes. */

export const eventType = "order.created";
export const eventSubject = "order_1042";

const order = {
  order: "order_1042",
  customer: "cus_7Hc2mQ9xV4",
  amount: 4200,
  currency: "eur",
  status: "paid",
  items: [
    { sku: "SKU-1001", quantity: 2, price: 1500 },
    { sku: "SKU-2044", quantity: 1, price: 1200 },
  ],
  note: "leave it at the door",
};

/**
 * `data` as JSON text, of about so many bytes when they are given. With `sentMs` it tells when it
 * was meant to be sent, by `nowMs`.
 */
export function dataText(sentMs?: number, bytes = 0): string {
  const said = sentMs === undefined ? order : { sent: Number(sentMs.toFixed(3)), ...order };
  return JSON.stringify(bytes === 0 ? said : { ...said, ...linesOf(bytes) });
}

const bytesPerLine = 64;

/** No two alike, so that they compress like an order and not like a repetition. */
function linesOf(bytes: number) {
  const lines: { sku: string; quantity: number; price: number; ean: string }[] = [];
  let chance = 1;
  const next = (below: number) => {
    // Lehmer's generator: the same lines each time.
    chance = (chance * 48_271) % 2_147_483_647;
    return chance % below;
  };
  while (lines.length * bytesPerLine < bytes) {
    const sku = `SKU-${1_000 + next(9_000)}`;
    lines.push({ sku, quantity: 1 + next(9), price: 100 + next(9_900), ean: `40${next(1e9)}` });
  }
  return { lines };
}

/** The times that `dataText` put into this text, as many as there are events in it. */
export function sentTimes(text: string): number[] {
  return Array.from(text.matchAll(/"sent":([\d.]+)/g), (match) => Number(match[1]));
}

/** One event, or a batch of them, as the body of `POST /events`. */
export function appendBody(tenant: string, batch: number, sentMs?: number): Buffer {
  return spreadBody(Array<string>(batch).fill(tenant), dataText(sentMs));
}

/** One event for each of these tenants. */
export function spreadBody(tenants: readonly string[], data: string): Buffer {
  const events = tenants.map((tenant) => eventText(data, tenant));
  return Buffer.from(events.length === 1 ? (events[0] ?? "") : `{"events":[${events.join(",")}]}`);
}

/** What a producer sends for it; the tenant need not be named where the request names it. */
export function eventText(data: string, tenant?: string): string {
  const head = JSON.stringify({ tenant, type: eventType, subject: eventSubject }).slice(0, -1);
  return `${head},"data":${data}}`;
}
