/**
 * A consumer's and producer's program, compiled and run in a project of its own that has installed
 * the package: on every runtime that npm can bring.
 */
import {
  createFeed,
  createProducer,
  sign,
  VerificationError,
  verify,
  type FeedItem,
  type TidegateEvent,
} from "tidegate/client";

type Order = { readonly n: number };

declare const process: { readonly env: Record<string, string | undefined> };

const { GATEWAY_URL: url = "", GATEWAY_KEY: key = "", PUSHES = "[]" } = process.env;
const pushes = JSON.parse(PUSHES) as {
  secret: string;
  headers: Record<string, string>;
  body: string;
}[];

for (const { secret, headers, body } of pushes) {
  const event: TidegateEvent<Order> = await verify<Order>(secret, new Headers(headers), body);
  assert(event.data?.n === 7, "the push's data");
  const forged = await verify(secret, headers, `${body} `).catch((error: unknown) => error);
  assert(forged instanceof VerificationError, "a forgery throws");
  assert(forged instanceof VerificationError && forged.reason === "signature-mismatch", "why");
  if (secret.startsWith("whsec_")) {
    assert(
      (await verify(secret, await sign(secret, event.id, body), body)).id === event.id,
      "sign",
    );
  }
}

const producer = createProducer({ url, key, cursors: true });
const before = await Promise.all(numbers(30).map(append));
assert(before[29]?.cursor !== undefined, "a cursor");

const controller = new AbortController();
const seen: FeedItem<Order>[] = [];
let saved: string | undefined;
const feed = createFeed<Order>({
  url,
  key,
  pageSize: 10,
  signal: controller.signal,
  store: {
    load: () => Promise.resolve(saved),
    save(cursor) {
      saved = cursor;
      return Promise.resolve();
    },
  },
  onNotice({ kind }) {
    if (kind === "streaming") for (const n of numbers(5)) void append(n + 30);
  },
});
for await (const item of feed) {
  seen.push(item);
  if (seen.length === 35) controller.abort();
}
assert(
  seen.every(({ event }, n) => event.data?.n === n),
  "each once and in order",
);
assert(saved !== undefined && saved === feed.cursor(), "the cursor is saved");
await producer.close();
console.log(`ok ${seen.length}`);

function append(n: number) {
  return producer.append({ type: "order.created", data: { n } satisfies Order });
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold: ${what}`);
}
