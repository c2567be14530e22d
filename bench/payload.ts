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

/** `data` as JSON text. With `sentMs` it tells when it was meant to be sent, by `nowMs`. */
export function dataText(sentMs?: number): string {
  return JSON.stringify(
    sentMs === undefined ? order : { sent: Number(sentMs.toFixed(3)), ...order },
  );
}

/** The times that `dataText` put into this text, as many as there are events in it. */
export function sentTimes(text: string): number[] {
  return Array.from(text.matchAll(/"sent":([\d.]+)/g), (match) => Number(match[1]));
}

/** One event, or a batch of them, as the body of `POST /events`. */
export function appendBody(tenant: string, batch: number, sentMs?: number): Buffer {
  const head = JSON.stringify({ tenant, type: eventType, subject: eventSubject }).slice(0, -1);
  const event = `${head},"data":${dataText(sentMs)}}`;
  if (batch === 1) return Buffer.from(event);
  return Buffer.from(`{"events":[${Array(batch).fill(event).join(",")}]}`);
}
