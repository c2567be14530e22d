/**
 * The text of a member of a JSON object, as it stands there. To parse it and write it anew would
 * change it: `1.0`, large integers and members with the same name do not survive that.
 */

/** Of the object's own member with this name, the last where several have it. The text is JSON. */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  /** Where the value of the object's own member begins that is being passed. */
  let valueAt = -1;
  let isWanted = false;
  /** The last string at the object's own level: a name, if a colon follows. */
  let lastString = "";
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"': {
        const end = stringEnd(text, at);
        if (depth === 1 && valueAt === -1) lastString = text.slice(at, end);
        at = end - 1;
        break;
      }
      case ":":
        if (depth !== 1 || valueAt !== -1) break;
        valueAt = at + 1;
        isWanted = JSON.parse(lastString) === name;
        break;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
      case ",":
        if (depth === 1) {
          if (isWanted) found = text.slice(valueAt, at).trim();
          isWanted = false;
          valueAt = -1;
        }
        if (text[at] !== ",") depth -= 1;
        break;
      default:
    }
  }
  return found;
}

/** After the closing quote of the string that begins here. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end + 1;
}

/** By an odd number of backslashes before it. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text[first - 1] === "\\") first -= 1;
  return (quote - first) % 2 === 1;
}
