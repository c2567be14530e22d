/**
 * The api processes as a client sees them: several addresses, of which some do not answer. A client
 * stays with one while it answers and takes the next when it does not, as behind a balancer.
 */
import { Agent, request } from "undici";
import { setTimeout as delay } from "node:timers/promises";

export type Apis = ReturnType<typeof createApis>;
export type Caller = ReturnType<Apis["caller"]>;

/** A process that was stopped answers nothing; its clients must not wait for its end. */
export const patienceMs = 5_000;

const pauseMs = 100;

export function createApis(urls: readonly string[], key: string) {
  const agent = new Agent({
    connections: null,
    keepAliveTimeout: 30_000,
    connect: { timeout: 2_000 },
  });
  let callers = 0;
  return { caller, stop: () => agent.destroy() };

  /** One client. Pairs of them begin with different processes. */
  function caller() {
    callers += 1;
    let turn = callers >> 1;
    return { ask, open, next };

    /** The answer as text; throws when there is none. */
    async function ask(
      method: "GET" | "POST" | "PUT" | "PATCH",
      path: string,
      { body, waitMs = 0 }: { body?: string; waitMs?: number } = {},
    ): Promise<{ status: number; text: string }> {
      const { statusCode, body: answer } = await request(`${current()}${path}`, {
        ...{ method, dispatcher: agent, headers: headersOf(body) },
        ...(body !== undefined && { body }),
        signal: AbortSignal.timeout(patienceMs + waitMs),
      });
      return { status: statusCode, text: await answer.text() };
    }

    /** A response that goes on; `signal` ends it. */
    async function open(path: string, headers: Record<string, string>, signal: AbortSignal) {
      const opening = AbortSignal.any([signal, AbortSignal.timeout(0x7fffffff)]);
      const { statusCode, body } = await request(`${current()}${path}`, {
        ...{ method: "GET", dispatcher: agent, headers: { ...headersOf(undefined), ...headers } },
        ...{ signal: opening, headersTimeout: patienceMs, bodyTimeout: patienceMs },
      });
      return { status: statusCode, body };
    }

    /** Takes the next process, a moment later. */
    async function next(): Promise<void> {
      turn += 1;
      await delay(pauseMs);
    }

    function current(): string {
      return urls[turn % urls.length] ?? "";
    }
  }

  function headersOf(body: string | undefined): Record<string, string> {
    const authorization = `Bearer ${key}`;
    return body === undefined
      ? { authorization }
      : { authorization, "content-type": "application/json" };
  }
}
