/**
 * What a consumer does with a client that was generated from openapi.yaml, whichever generator made
 * it. Each dialect says the same with its own client; what it gives back has the generated types.
 */
import assert from "node:assert/strict";

export type Dialect = {
  /** The id of the new endpoint. */
  createEndpoint(url: string): Promise<string>;
  /** All of them, page by page. */
  listEndpoints(): Promise<{ id: string; description: string | null }[]>;
  /** The description afterwards. */
  describeEndpoint(id: string, description: string): Promise<string | null>;
  deleteEndpoint(id: string): Promise<void>;
  /** The sequence of the new event. */
  append(event: NewEvent): Promise<string>;
  /** In order: the sequence, or for an event that is refused the type of the problem. */
  appendBatch(events: NewEvent[]): Promise<string[]>;
  /** One page after the cursor, or from the start. */
  pull(cursor: string | undefined): Promise<Page>;
  /** Appends what is refused and gives the pointers to what is at fault in it. */
  appendInvalid(type: string): Promise<string[]>;
};

export type NewEvent = { type: string; data: unknown };

export type Page = { sequences: string[]; cursor: string; hasMore: boolean };

export const pageLimit = 2;

/** Where the gateway is, and a key of the tenant for which all of this is done. */
export function target(): { url: string; key: string } {
  const { TARGET_URL: url = "", TARGET_KEY: key = "" } = process.env;
  return { url, key };
}

/** Any problem, as each of the clients types it. */
export function failure(problem: { title: string; detail?: string } | undefined): Error {
  return new Error(problem?.detail ?? problem?.title ?? "it failed without a problem");
}

export async function play(dialect: Dialect): Promise<void> {
  const first = await dialect.createEndpoint("https://example.com/first");
  const second = await dialect.createEndpoint("https://example.com/second");
  assert.equal(await dialect.describeEndpoint(second, "The second"), "The second");
  assert.deepEqual(await dialect.listEndpoints(), [
    { id: first, description: null },
    { id: second, description: "The second" },
  ]);
  await dialect.deleteEndpoint(first);
  assert.deepEqual(
    (await dialect.listEndpoints()).map(({ id }) => id),
    [second],
  );

  const appended = [await dialect.append({ type: "order.created", data: { amount: 4_200 } })];
  const results = await dialect.appendBatch([
    { type: "order.paid", data: null },
    { type: "no type", data: null },
    { type: "order.shipped", data: ["by", "sea"] },
  ]);
  assert.match(results[1] ?? "", /problems\/invalid$/);
  appended.push(...results.filter((_, index) => index !== 1));

  const pages: Page[] = [];
  do pages.push(await dialect.pull(pages.at(-1)?.cursor));
  while (pages.at(-1)?.hasMore);
  assert.ok(pages.length > 1);
  assert.deepEqual(
    pages.flatMap(({ sequences }) => sequences),
    appended,
  );

  assert.deepEqual(await dialect.appendInvalid("no type"), ["/type"]);
}
