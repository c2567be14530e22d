/** Headers in the forms in which servers hand them to their handlers. */

/** Of a Fetch `Request`, of Node's `http`, or any object with the names in whatever case. */
export type PushHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The value of one header, `name` in lower case. A header given several times is none. */
export function headerOf(headers: PushHeaders, name: string): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  if (isWebHeaders(headers)) return textOf(headers.get(name));
  const direct = headers[name];
  if (direct !== undefined) return textOf(direct);
  const found = Object.keys(headers).filter((each) => each.toLowerCase() === name);
  const [only, second] = found;
  return only === undefined || second !== undefined ? undefined : textOf(headers[only]);
}

function isWebHeaders(headers: PushHeaders): headers is { get(name: string): string | null } {
  return typeof headers.get === "function";
}

function textOf(value: unknown): string | undefined {
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof single === "string" ? single : undefined;
}
