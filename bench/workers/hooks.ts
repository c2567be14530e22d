/**
 * Receivers of webhooks that behave as they are told, each path by itself, on as many ports as are
 * wanted: they answer after a while or with a status, never answer, or refuse connections (their
 * port is closed). What comes is kept in columns of numbers.
 */
import { nowMs } from "../clock.ts";
import { sentTimes } from "../payload.ts";
import { listenRaw, type RawRequest, type RawServer } from "./raw-http.ts";
import { serve } from "./serve.ts";
import type { Socket } from "node:net";

export type HookOperations = typeof operations;

export type Behaviour =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly afterMs?: number;
      /** Every how many requests one is refused with 409; 0 is never. */
      readonly refuseEvery?: number;
    }
  | { readonly kind: "hang" };

/** What came to one path, a row for each request, in the order in which they came. */
export type Received = Record<Column, Float64Array>;

/**
 * `at` is by `nowMs`; `latency` counts from when the event was meant to be appended, where it says
 * so; `subject` is the number in it; `status` is that of the answer, 0 for none.
 */
type Column = "at" | "latency" | "sequence" | "attempt" | "subject" | "status";

type Hook = { behaviour: Behaviour; requests: number; rows: Record<Column, number[]> };

const hooks = new Map<string, Hook>();
const servers = new Map<string, RawServer>();
const operations = { open, close, behave, count, take };
serve(operations);

/** Listens on a free port, or again on that of a URL that was closed. */
async function open({ url: former }: { url?: string } = {}): Promise<string> {
  const port = former === undefined ? 0 : Number(new URL(former).port);
  const server = await listenRaw(receive, port);
  servers.set(server.url, server);
  return server.url;
}

async function close({ url }: { url: string }): Promise<void> {
  await servers.get(url)?.close();
}

/** From now on; a path of which nothing was said answers 200 at once. */
async function behave({ path, behaviour }: { path: string; behaviour: Behaviour }): Promise<void> {
  hookOf(path).behaviour = behaviour;
}

/** Requests since `take`, on these paths or on all; those of one attempt's number, or all. */
async function count({
  paths,
  attempt,
}: { paths?: readonly string[]; attempt?: number } = {}): Promise<number> {
  const some = [...(paths ?? hooks.keys())].map((path) => hooks.get(path)?.rows.attempt ?? []);
  return some.flat().filter((number) => attempt === undefined || number === attempt).length;
}

/** What came since this was last called, by path. */
async function take(): Promise<Map<string, Received>> {
  return new Map(
    Array.from(hooks, ([path, hook]) => {
      const { rows } = hook;
      hook.rows = emptyRows();
      return [path, mapRows(rows)];
    }),
  );
}

function receive({ head, body }: RawRequest, socket: Socket): void {
  const hook = hookOf(head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/")));
  const { behaviour, rows } = hook;
  hook.requests += 1;
  const status = statusOf(behaviour, hook.requests);
  const text = body.toString();
  const at = nowMs();
  const [sentAt] = sentTimes(text);
  rows.at.push(at);
  rows.latency.push(at - (sentAt ?? Number.NaN));
  rows.sequence.push(numberIn(head, /\r\ntidegate-sequence: (\d+)/i));
  rows.attempt.push(numberIn(head, /\r\ntidegate-attempt: (\d+)/i));
  rows.subject.push(numberIn(text, /"subject":"[^"]*?(\d+)"/));
  rows.status.push(status);
  if (behaviour.kind === "hang") return;
  const { afterMs = 0 } = behaviour;
  const answer = `HTTP/1.1 ${status} Told\r\ncontent-length: 2\r\n\r\nok`;
  if (afterMs === 0) socket.write(answer);
  else setTimeout(() => socket.writable && socket.write(answer), afterMs);
}

function statusOf(behaviour: Behaviour, requests: number): number {
  if (behaviour.kind === "hang") return 0;
  const { status = 200, refuseEvery = 0 } = behaviour;
  return refuseEvery > 0 && requests % refuseEvery === 0 ? 409 : status;
}

function hookOf(path: string): Hook {
  let hook = hooks.get(path);
  if (hook === undefined) {
    hook = { behaviour: { kind: "answer" }, requests: 0, rows: emptyRows() };
    hooks.set(path, hook);
  }
  return hook;
}

function emptyRows(): Record<Column, number[]> {
  return { at: [], latency: [], sequence: [], attempt: [], subject: [], status: [] };
}

function mapRows(rows: Record<Column, number[]>): Received {
  return {
    at: Float64Array.from(rows.at),
    latency: Float64Array.from(rows.latency),
    sequence: Float64Array.from(rows.sequence),
    attempt: Float64Array.from(rows.attempt),
    subject: Float64Array.from(rows.subject),
    status: Float64Array.from(rows.status),
  };
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}
