/**
 * Paging of lists. A cursor is the key of the last item that was shown, written so that nobody
 * takes it for more than a place in a list: items that come or go meanwhile shift no other item.
 * It is not signed, since it opens nothing that its reader could not list anyway.
 */
import { Problem } from "../problem.ts";

export type ListQuery = { readonly limit: number; readonly cursor?: string | undefined };

export type ListPage<Item> = {
  readonly items: readonly Item[];
  readonly cursor: string | null;
  readonly hasMore: boolean;
};

/** The key to go on after, or undefined at the start. Keys have the given form. */
export function keyAfter({ cursor }: ListQuery, form: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, "base64url").toString();
  if (form.test(key) && encode(key) === cursor) return key;
  throw new Problem("cursor-invalid", "the cursor is not one of this list");
}

/** Cuts rows, of which one more than the limit was read, to a page. */
export function toPage<Item>(
  rows: readonly Item[],
  { limit, cursor }: ListQuery,
  keyOf: (item: Item) => string,
): ListPage<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    cursor: last === undefined ? (cursor ?? null) : encode(keyOf(last)),
    hasMore: rows.length > limit,
  };
}

function encode(key: string): string {
  return Buffer.from(key).toString("base64url");
}
