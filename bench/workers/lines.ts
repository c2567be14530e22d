/** One request of newline-delimited JSON: lines for a while, and what was appended of them. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { nowMs } from "../clock.ts";
import { dataText, eventText } from "../payload.ts";

/** About as many bytes as a socket takes at once. */
const linesAPiece = 100;

/** Sends until the time is up and waits for the end of the answer. Tells how many were appended. */
export async function sendLines(given: {
  url: string;
  key: string;
  tenant: string;
  seconds: number;
}): Promise<number> {
  const { url, key, tenant, seconds } = given;
  const piece = Buffer.from(`${eventText(dataText())}\n`.repeat(linesAPiece));
  const endAt = nowMs() + seconds * 1_000;
  let sent = 0;
  const outgoing = httpRequest(`${url}/events?tenant=${tenant}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/x-ndjson",
      prefer: "return=minimal",
    },
  });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  const sending = pipeline(Readable.from(pieces(), { objectMode: false }), outgoing);
  // Told with the answer, if there is one, since that says more.
  sending.catch(() => {});
  const [incoming] = await answered;
  const said = await text(incoming);
  await sending;
  const counts = JSON.parse(said.trimEnd().split("\n").at(-1) ?? "") as { appended?: number };
  if (counts.appended !== sent) throw new Error(`${sent} lines were answered ${said.slice(-200)}`);
  return counts.appended;

  function* pieces(): Generator<Buffer> {
    while (nowMs() < endAt) {
      sent += linesAPiece;
      yield piece;
    }
  }
}
