/** A URL of people's hands, or undefined; what `URL.parse` is where the runtime has it. */
export function parseWebUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.hostname !== "" ? url : undefined;
}
