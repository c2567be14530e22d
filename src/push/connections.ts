/**
 * The connections that attempts are made on, each for one request at a time. Those to the endpoints
 * themselves are kept and used again, the most recently used first; they are as many as there are
 * attempts under way, and a bounded number of idle ones, each closed when it has been idle for some
 * seconds. None of them outlives an attempt that failed, not even while it still connects. A proxy's
 * are undici's own, and what they bring is bounded by the attempt alone.
 *
 * They are held here rather than in undici's `Pool`: its client counts as busy until the event loop
 * has turned once more, so attempts made one after the other got two connections.
 */
import { Socket, type LookupFunction } from "node:net";
import { buildConnector, Client, Pool, ProxyAgent, type Dispatcher } from "undici";

/** Where requests are sent: straight to the endpoints, or through the egress proxy. */
export type Connections = {
  /** A connection for one request. A fresh one has carried no other before. */
  take(origin: string, fresh: boolean): Dispatcher;
  giveBack(origin: string, connection: Dispatcher, healthy: boolean): void;
  stop(): Promise<void>;
};

/** Node's own limit for a head. */
const headMaxBytes = 16 * 1_024;

/** Three SYN retransmissions (1, 3 and 7 s). An attempt with a shorter deadline ends it earlier. */
export const connectTimeoutMs = 10_000;

/** Kept without a hint from the receiver: most servers keep 5 s or longer. With one: at most. */
const keepAliveMs = 4_000;
const keepAliveMaxMs = 60_000;

/**
 * Each is a file descriptor; the least recently used is closed. Those in use come on top: one per
 * attempt under way, so no more than the gateway has slots, for all origins and for each.
 */
const idleConnectionsMax = 4_096;

const clientOptions = {
  maxHeaderSize: headMaxBytes,
  // The deadline of the attempt covers both, at the cost of one timer instead of three.
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: keepAliveMs,
  keepAliveMaxTimeout: keepAliveMaxMs,
  pipelining: 1,
} as const;

/** Certificates are verified even where NODE_TLS_REJECT_UNAUTHORIZED=0 has been left behind. */
const connectOptions = { timeout: connectTimeoutMs, rejectUnauthorized: true } as const;

/** Connections to the endpoints themselves, each for one request at a time. */
export function openDirectly({
  lookup,
  responseMaxBytes,
  idleMax = idleConnectionsMax,
}: {
  /** Resolves and vets: connections go to what it answers. */
  lookup: LookupFunction;
  /** Of one response, everything included. A connection that brings more is cut. */
  responseMaxBytes: number;
  idleMax?: number | undefined;
}): Connections {
  const connect = buildConnector({ ...connectOptions, lookup });
  /** Of the connections that have begun to connect. */
  const sockets = new WeakMap<Dispatcher, Socket>();
  /** How far the sockets that carry a request may be read. */
  const ends = new WeakMap<Socket, number>();
  const idleByOrigin = new Map<string, Dispatcher[]>();
  /** All of them with their origins, the least recently used first. */
  const idle = new Map<Dispatcher, string>();
  let stopped = false;
  return { take, giveBack, stop };

  function take(origin: string, fresh: boolean): Dispatcher {
    const kept = fresh ? undefined : idleByOrigin.get(origin)?.at(-1);
    if (kept !== undefined) {
      forget(kept);
      const socket = sockets.get(kept);
      if (socket !== undefined) ends.set(socket, socket.bytesRead + responseMaxBytes);
      return kept;
    }
    const client = new Client(origin, {
      ...clientOptions,
      connect(options, callback) {
        // Its type does not tell that the connector returns the socket.
        const socket: unknown = connect(options, callback);
        if (!(socket instanceof Socket)) return;
        sockets.set(client, socket);
        ends.set(socket, responseMaxBytes);
        socket.on("readable", () => {
          if (socket.bytesRead > (ends.get(socket) ?? 0)) socket.destroy(new ResponseTooLong());
        });
      },
    });
    return client.on("disconnect", () => forget(client));
  }

  function giveBack(origin: string, connection: Dispatcher, healthy: boolean): void {
    if (!healthy || stopped) return discard(connection);
    idle.set(connection, origin);
    const siblings = idleByOrigin.get(origin);
    if (siblings === undefined) idleByOrigin.set(origin, [connection]);
    else siblings.push(connection);
    if (idle.size > idleMax) {
      for (const oldest of idle.keys()) return discard(oldest);
    }
  }

  function forget(connection: Dispatcher): void {
    const origin = idle.get(connection);
    if (origin === undefined) return;
    idle.delete(connection);
    const siblings = idleByOrigin.get(origin) ?? [];
    siblings.splice(siblings.lastIndexOf(connection), 1);
    if (siblings.length === 0) idleByOrigin.delete(origin);
  }

  function discard(connection: Dispatcher): void {
    forget(connection);
    void connection.destroy();
    // The client waits for a connection that is not there yet: up to ten sockets would be open for
    // every slot, at endpoints that answer no SYN or no TLS hello and whose time-out is a second.
    sockets.get(connection)?.destroy();
  }

  async function stop(): Promise<void> {
    stopped = true;
    await Promise.all([...idle.keys()].map((connection) => connection.destroy()));
  }
}

/** Every request through a tunnel of the proxy, which keeps its own connections. */
export function openThroughProxy(uri: string): Connections {
  const agent = new ProxyAgent({
    ...clientOptions,
    uri,
    proxyTls: connectOptions,
    requestTls: connectOptions,
    // The proxy has to open a tunnel as fast as an endpoint has to accept a connection.
    clientFactory: (origin, options) =>
      new Pool(origin, { ...options, headersTimeout: connectTimeoutMs }),
  });
  // The agent adds a header to what it is given, and what it is given is not ours to change.
  const dispatcher = agent.compose(
    (dispatch) => (options, handler) =>
      dispatch({ ...options, headers: copyOf(options.headers) }, handler),
  );
  return { take: () => dispatcher, giveBack: () => undefined, stop: () => agent.destroy() };
}

function copyOf(headers: Dispatcher.DispatchOptions["headers"]) {
  return Array.isArray(headers) ? [...headers] : { ...(headers as Record<string, string>) };
}

class ResponseTooLong extends Error {
  readonly code = "RESPONSE_TOO_LONG";
}
