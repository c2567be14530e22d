/** Paging of lists. A cursor is the key of the last item that was shown. */
import { readListCursor, writeListCursor } from "../http/list-cursor.ts";

export type ListQuery = { readonly limit: number; readonly cursor?: string | undefined };

export type ListPage<Item> = {
  readonly items: readonly Item[];
  readonly cursor: string | null;
  readonly hasMore: boolean;
};

/** The key to go on after, or undefined at the start. Keys have the given form. */
export function keyAfter({ cursor }: ListQuery, form: RegExp): string | undefined {
  return cursor === undefined ? undefined : readListCursor(cursor, form);
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
    cursor: last === undefined ? (cursor ?? null) : writeListCursor(keyOf(last)),
    hasMore: rows.length > limit,
  };
}
