/**
 * Serves one hot route under the framework, whose objects for request, context and response, routing
 * and listeners take longer than many an append. Everything else is the same: what is served here
 * has the same declaration, goes through the same checks to the same handler, and is answered alike.
 *
 * Only requests of the ordinary form are taken: JSON whose length is announced and small, so that an
 * early answer leaves little unread. All others go the framework's way.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Arrived } from "./request.ts";
import type { Route } from "./route.ts";

/** Whether it has taken the request. Who is told false serves it. */
export type Direct = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** A batch of some hundred events; of more the framework's share is nothing. */
const bodyMaxBytes = 64 << 10;

/** What an early answer has left unread is waited for, since a reset could overtake the answer. */
const unreadMaxMs = 500;

/** Others, and ports that there are not, may be an error of the request's: the framework answers. */
const hostForm = /^[a-z0-9._-]+(?::(?:[1-5]\d{3,4}|6[0-4]\d{3}|[6-9]\d{3}))?$/;

/** `serve` answers whatever happens, and never rejects. */
export function createDirect(
  { method, path }: Pick<Route, "method" | "path">,
  serve: (arrived: Arrived) => Promise<void>,
): Direct {
  const verb = method.toUpperCase();
  const withQuery = `${path}?`;
  const routed = { path, param: () => ({}) };

  return (incoming, outgoing) => {
    const { url = "" } = incoming;
    if (incoming.method !== verb || (url !== path && !url.startsWith(withQuery))) return false;
    if (!isOrdinary(incoming.headers)) return false;
    const arrived = { incoming, outgoing, routed, signal: () => signalOf(outgoing) };
    void serve(arrived).finally(() => {
      if (!incoming.complete) discardRest(incoming);
    });
    return true;
  };
}

function isOrdinary(headers: IncomingMessage["headers"]): boolean {
  return (
    headers["content-type"]?.startsWith("application/json") === true &&
    headers["content-length"] !== undefined &&
    Number(headers["content-length"]) <= bodyMaxBytes &&
    headers["transfer-encoding"] === undefined &&
    headers.expect === undefined &&
    hostForm.test(headers.host ?? "")
  );
}

/** Aborts when the connection goes before the answer is complete. */
function signalOf(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (outgoing.destroyed) controller.abort();
  else outgoing.once("close", () => void (outgoing.writableFinished || controller.abort()));
  return controller.signal;
}

function discardRest(incoming: IncomingMessage): void {
  const cut = setTimeout(() => incoming.socket.destroySoon(), unreadMaxMs);
  incoming.once("close", () => clearTimeout(cut));
  incoming.resume();
}
