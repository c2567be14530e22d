/**
 * The cursors of lists. Each is the key of a place in its list, written so that nobody takes it for
 * more: items that come or go meanwhile shift no other item. It is not signed, since it opens
 * nothing that its reader could not list anyway.
 */
import { Problem } from "../problem.ts";

export function writeListCursor(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** The key in a cursor, which has the given form. Throws for all that was not written above. */
export function readListCursor(cursor: string, form: RegExp): string {
  const key = Buffer.from(cursor, "base64url").toString();
  if (form.test(key) && writeListCursor(key) === cursor) return key;
  throw new Problem("cursor-invalid", "the cursor is not one of this list");
}
