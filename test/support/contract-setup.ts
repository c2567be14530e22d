/**
 * Runs before every test file and holds each answer that `fetch` brings from one of our servers to
 * openapi.yaml, so that no test has to think of it. Our servers are known by the request id in
 * their answers. Whoever speaks to one by other means calls `checkAnswer`.
 */
import { afterAll, afterEach } from "vitest";

/** Of whole gateways: everything from there is ours, whatever it looks like. */
const gateways = new Set<string>();

const breaches: Error[] = [];

const plainFetch = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const isWhole = gateways.has(new URL(response.url).origin);
  if (!isWhole && !response.headers.has("tidegate-request-id")) return response;
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  return await remembering(() => checked(response, method.toUpperCase(), isWhole));
};

// Thrown where it is found, and once more here, in case somebody caught it there.
afterEach(throwBreaches);
afterAll(throwBreaches);

/** For the answers of a whole gateway: what the document does not name must not be there. */
export function holdToContract(url: string): void {
  gateways.add(new URL(url).origin);
}

async function checked(response: Response, method: string, isWhole: boolean): Promise<Response> {
  // Only here, since most unit tests need no part of it.
  const { checkAnswer } = await import("./contract.ts");
  const { url, status, headers } = response;
  const rest = checkAnswer({ method, url, status, headers, isWhole });
  switch (rest.kind) {
    case "none":
      return response;
    case "text": {
      // A body that breaks off says nothing; its reader finds out as well.
      const text = await response
        .clone()
        .text()
        .catch(() => undefined);
      if (text !== undefined) rest.check(text);
      return response;
    }
    case "stream":
      return watched(response, rest.check);
  }
}

/** The same response, whose body fails when what it carries is wrong. */
function watched(response: Response, check: (text: string) => void): Response {
  const decoder = new TextDecoder();
  const watching = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      await remembering(async () => check(decoder.decode(chunk, { stream: true })));
      controller.enqueue(chunk);
    },
  });
  const { status, headers, url } = response;
  const body = response.body?.pipeThrough(watching) ?? null;
  return Object.defineProperty(new Response(body, { status, headers }), "url", { value: url });
}

async function remembering<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    breaches.push(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

function throwBreaches(): void {
  const [first] = takeBreaches();
  if (first !== undefined) throw first;
}

/** Those found since the last call. The test that takes them answers for them. */
export function takeBreaches(): Error[] {
  return breaches.splice(0);
}
