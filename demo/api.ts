/** Calls to the gateway's HTTP API with one key. */

export type Api = ReturnType<typeof createApi>;

export type Answer = { readonly status: number; readonly text: string };

/** `signal` ends whatever is under way. */
export function createApi(url: string, key: string, signal: AbortSignal) {
  const authorization = `Bearer ${key}`;

  return { open, request, send };

  /** The response as it comes in. */
  function open(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", authorization);
    return fetch(new URL(path, url), { signal, ...init, headers });
  }

  async function request(method: string, path: string, body?: string): Promise<Answer> {
    const init =
      body === undefined ? {} : { body, headers: { "content-type": "application/json" } };
    const response = await open(path, { method, ...init });
    return { status: response.status, text: await response.text() };
  }

  /** Sends JSON and takes JSON; throws unless all went well. */
  async function send<Result>(method: string, path: string, body?: object): Promise<Result> {
    const { status, text } = await request(method, path, body && JSON.stringify(body));
    if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${text}`);
    return JSON.parse(text) as Result;
  }
}
