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
  take(origin: string, fresh: boolean): Connection;
  giveBack(connection: Connection, healthy: boolean): void;
  stop(): Promise<void>;
};

export type Connection = {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
  /** Undefined before it has begun to connect, and where it is not ours. */
  socket: Socket | undefined;
  /** How far the socket may be read while it carries this request. */
  end: number;
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
  const idleByOrigin = new Map<string, Connection[]>();
  /** All of them, the least recently used first. */
  const idle = new Set<Connection>();
  let stopped = false;
  return { take, giveBack, stop };

  function take(origin: string, fresh: boolean): Connection {
    const kept = fresh ? undefined : idleByOrigin.get(origin)?.at(-1);
    if (kept === undefined) return open(origin);
    forget(kept);
    if (kept.socket !== undefined) kept.end = kept.socket.bytesRead + responseMaxBytes;
    return kept;
  }

  function open(origin: string): Connection {
    const client = new Client(origin, {
      ...clientOptions,
      connect(options, callback) {
        // Its type does not tell that the connector returns the socket.
        const socket: unknown = connect(options, callback);
        if (!(socket instanceof Socket)) return;
        connection.socket = socket;
        connection.end = responseMaxBytes;
        socket.on("readable", () => {
          if (connection.socket === socket && socket.bytesRead > connection.end) {
            socket.destroy(new ResponseTooLong());
          }
        });
      },
    });
    const connection: Connection = { origin, dispatcher: client, socket: undefined, end: 0 };
    client.on("disconnect", () => forget(connection));
    return connection;
  }

  function giveBack(connection: Connection, healthy: boolean): void {
    if (!healthy || stopped) return discard(connection);
    idle.add(connection);
    const siblings = idleByOrigin.get(connection.origin);
    if (siblings === undefined) idleByOrigin.set(connection.origin, [connection]);
    else siblings.push(connection);
    if (idle.size > idleMax) {
      for (const oldest of idle) return discard(oldest);
    }
  }

  function forget(connection: Connection): void {
    if (!idle.delete(connection)) return;
    const siblings = idleByOrigin.get(connection.origin);
    // Nearly always the last.
    if (siblings?.at(-1) === connection) siblings.pop();
    else siblings?.splice(siblings.lastIndexOf(connection), 1);
    if (siblings?.length === 0) idleByOrigin.delete(connection.origin);
  }

  function discard(connection: Connection): void {
    forget(connection);
    void connection.dispatcher.destroy();
    // The client waits for a connection that is not there yet: up to ten sockets would be open for
    // every slot, at endpoints that answer no SYN or no TLS hello and whose time-out is a second.
    connection.socket?.destroy();
  }

  async function stop(): Promise<void> {
    stopped = true;
    await Promise.all([...idle].map(({ dispatcher }) => dispatcher.destroy()));
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
  return {
    take: (origin) => ({ origin, dispatcher, socket: undefined, end: 0 }),
    giveBack: () => undefined,
    stop: () => agent.destroy(),
  };
}

function copyOf(headers: Dispatcher.DispatchOptions["headers"]) {
  return Array.isArray(headers) ? [...headers] : { ...(headers as Record<string, string>) };
}

class ResponseTooLong extends Error {
  readonly code = "RESPONSE_TOO_LONG";
}
