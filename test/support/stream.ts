/** A server of streams over a test's feed, and clients that go when it goes. */
import type { Socket } from "node:net";
import { createDirectory } from "../../src/control/directory.ts";
import { createTickets } from "../../src/control/tickets/tickets.ts";
import { isUnavailable } from "../../src/db/database.ts";
import { createEndpointFilterOf } from "../../src/deliveries/endpoint-filter.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { createStreamRoutes } from "../../src/stream/routes.ts";
import { createStreams, type StreamTimes } from "../../src/stream/streams.ts";
import { keyOf, type TestFeed } from "./feed.ts";
import { startApi } from "./http.ts";
import { eventsOf, openSse, type Block, type SseClient } from "./sse.ts";

/** Nothing happens by itself, except what a test makes faster. */
const calm: StreamTimes = {
  beatMs: 60_000,
  lifetimeMs: 600_000,
  drainMs: 60_000,
  tickMs: 20,
  checkMs: 60_000,
  retryMs: 2_000,
};

export type StreamApi = Awaited<ReturnType<typeof startStreamApi>>;

export async function startStreamApi(
  given: Pick<TestFeed, "database" | "sql" | "feed" | "marks" | "directory" | "logger">,
  { streamsMax, ...times }: Partial<StreamTimes> & { streamsMax?: number } = {},
) {
  const { database, sql, feed, marks, directory, logger } = given;
  const filterOfEndpoint = createEndpointFilterOf(sql);
  const streams = createStreams({
    ...{ feed, marks, directory, logger },
    times: { ...calm, ...times },
    ...(streamsMax !== undefined && { streamsMax }),
  });
  const { find: findTicket } = createTickets({
    orm: database.orm,
    directory: createDirectory(database),
  });
  const routes = createStreamRoutes({ streams, filterOfEndpoint, findTicket });
  const api = await startApi(routes, { directory, isUnavailable });
  const clients: SseClient[] = [];
  /** The server's ends. */
  const sockets = new Set<Socket>();
  api.server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return { ...api, streams, sockets, open, close, [Symbol.asyncDispose]: close };

  function open(
    tenant: Tenant,
    query: Record<string, string> = {},
    options: { key?: string; lastEventId?: string | undefined; paused?: boolean } = {},
  ): SseClient {
    const target = `/events/stream?${new URLSearchParams(query).toString()}`;
    const client = openSse(api.port, target, options.key ?? keyOf(tenant), options);
    clients.push(client);
    return client;
  }

  async function close(): Promise<void> {
    for (const client of clients) client.cut();
    streams.stop();
    await api.stop(1_000);
  }
}

export function sequences(client: SseClient): number[] {
  return client.events().map((event) => Number(event.sequence));
}

/** For `waitFor`. Reads what it counts, so it is for small events. */
export function hasEvents(count: number) {
  return (blocks: Block[]) => eventsOf(blocks).length >= count;
}
