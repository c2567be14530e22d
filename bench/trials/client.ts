/** Requests to a gateway in which a refusal is an answer, not an error. */
import { Pool } from "undici";

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

type Method = "GET" | "POST" | "PUT" | "DELETE";

export type Client = {
  /** Rejects only when no answer came. */
  send(method: Method, path: string, body?: string | Buffer): Promise<Answer>;
  /** The answer as JSON; throws unless it is a 2xx. */
  expect(method: Method, path: string, body?: string | Buffer): Promise<unknown>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
};

/** Above what the gateway itself allows an append to take, so that its answer is seen. */
const answerTimeoutMs = 60_000;

export function createClient(url: string, key: string, connections = 8): Client {
  const pool = new Pool(url, {
    connections,
    pipelining: 1,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
  const authorization = `Bearer ${key}`;
  return { send, expect, close: () => pool.destroy() };

  async function send(method: Method, path: string, body?: string | Buffer): Promise<Answer> {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { authorization, ...type };
    const answer = await pool.request({ method, path, headers, body: body ?? null });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text };
  }

  async function expect(method: Method, path: string, body?: string | Buffer): Promise<unknown> {
    const { status, text } = await send(method, path, body);
    if (status < 300) return text === "" ? undefined : JSON.parse(text);
    throw new Error(`${method} ${path} was answered ${status} ${text.slice(0, 500)}`);
  }
}
