/** Sends lines without end and reads their results as they come; and reads back what was stored. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { dataText, eventSubject, eventType } from "../payload.ts";
import { createClient } from "../trials/client.ts";
import { serve } from "./serve.ts";

export type UploaderOperations = typeof operations;

type Site = { readonly url: string; readonly key: string; readonly tenant: string };

export type Uploaded = {
  readonly seconds: number;
  readonly bytes: number;
  /** Results that told of an appended event with the sequence that its line should have. */
  readonly right: number;
  /** The other lines of the answer, the first few of them. */
  readonly other: number;
  readonly strange: readonly string[];
  /** Of all `data` in order. */
  readonly checksum: string;
};

/** About as much as a socket takes at once. */
const pieceBytes = 256 << 10;

const strangeShown = 3;
const pageEvents = 1_000;

const operations = { upload, readBack };
serve(operations);

/** Events of at least so many bytes of `data`, each with its number, into an empty log. */
async function upload(
  input: Site & { events: number; dataBytes: number; minimal: boolean },
): Promise<Uploaded> {
  const { url, key, tenant, minimal } = input;
  const sent = createLines(input);
  const startedAt = performance.now();
  const outgoing = httpRequest(`${url}/events?tenant=${tenant}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/x-ndjson",
      ...(minimal && { prefer: "return=minimal" }),
    },
  });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  const sending = pipeline(Readable.from(sent.pieces(), { objectMode: false }), outgoing);
  // Told with the answer, if there is one, since that says more.
  sending.catch(() => {});
  const [incoming] = await answered;
  const results = await readResults(incoming, minimal);
  await sending;
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, ...sent.total(), ...results };
}

async function readResults(incoming: IncomingMessage, minimal: boolean) {
  let right = 0;
  let other = 0;
  const strange: string[] = [];
  for await (const line of createInterface({ input: incoming, crlfDelay: Infinity })) {
    const result = JSON.parse(line) as {
      status?: number;
      sequence?: string;
      appended?: number;
      failed?: number;
    };
    if (minimal && result.appended !== undefined && result.failed === 0) right += result.appended;
    else if (result.status === 201 && Number(result.sequence) === right + 1) right += 1;
    else {
      other += 1;
      if (strange.length < strangeShown) strange.push(line.slice(0, 300));
    }
  }
  if (incoming.statusCode !== 200) strange.unshift(`it was answered ${incoming.statusCode}`);
  return { right, other, strange };
}

function createLines({ events, dataBytes }: { events: number; dataBytes: number }) {
  const order = dataText();
  const orders = Array(Math.max(1, Math.ceil(dataBytes / order.length))).fill(order);
  const tail = `,"orders":[${orders.join(",")}]}`;
  const head = JSON.stringify({ type: eventType, subject: eventSubject }).slice(0, -1);
  const hash = createHash("sha256");
  let bytes = 0;
  return { pieces, total: () => ({ bytes, checksum: hash.digest("hex") }) };

  function* pieces(): Generator<Buffer> {
    let text = "";
    for (let n = 1; n <= events; n += 1) {
      const data = `{"n":${n}${tail}`;
      hash.update(data);
      text += `${head},"data":${data}}\n`;
      if (text.length >= pieceBytes || n === events) {
        const piece = Buffer.from(text);
        bytes += piece.length;
        text = "";
        yield piece;
      }
    }
  }
}

/** The whole log by pages: how many events, whether dense, and the checksum of their `data`. */
async function readBack(
  input: Site,
): Promise<{ events: number; dense: boolean; checksum: string }> {
  const client = createClient(input.url, input.key, 1);
  const hash = createHash("sha256");
  let events = 0;
  let dense = true;
  for (let start = "from=earliest", more = true; more;) {
    const target = `/events?tenant=${input.tenant}&limit=${pageEvents}&${start}`;
    const page = (await client.expect("GET", target)) as {
      events: { sequence: string; data: unknown }[];
      cursor: string;
      has_more: boolean;
    };
    for (const { sequence, data } of page.events) {
      events += 1;
      dense &&= Number(sequence) === events;
      // As it was written: without white space, and with nothing that parsing would change.
      hash.update(JSON.stringify(data));
    }
    more = page.has_more;
    start = `cursor=${page.cursor}`;
  }
  await client.close();
  return { events, dense, checksum: hash.digest("hex") };
}
