/**
 * The text of one member of a JSON object, so that it can be kept as it was written: parsed and
 * printed again, members named by numbers would come first and 1.0 would be 1. Only the white
 * space between its tokens is dropped.
 */

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g;

/**
 * Expects the text of an object that `JSON.parse` has accepted. Of several members of the name it
 * takes the last, as `JSON.parse` does; undefined when there is none.
 */
export function memberText(text: string, name: string): string | undefined {
  let pieces: string[] | undefined;
  let depth = 0;
  /** The member, directly in the object, whose value is being read. */
  let member: string | undefined;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "}" || token === "]") depth -= 1;
    if (depth === 0 || (depth === 1 && token === ",")) {
      member = undefined;
    } else if (member === undefined) {
      member = JSON.parse(token) as string;
      if (member === name) pieces = [];
    } else if (member === name && !(token === ":" && depth === 1)) {
      pieces?.push(token);
    }
    if (token === "{" || token === "[") depth += 1;
  }
  return pieces?.join("");
}
