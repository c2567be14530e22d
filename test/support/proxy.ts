/**
 * A TCP proxy in front of a server: the network between, to be cut, silenced, slowed and restored.
 * A cut closes what is open and refuses what is new, as a server does that is gone; silence carries
 * nothing and closes nothing, as a network does that is gone.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export type Proxy = AsyncDisposable & {
  /** The server's URL, through here. */
  readonly url: string;
  cut(): Promise<void>;
  silence(): void;
  /** Whatever comes through takes so much longer, each way. */
  slow(ms: number): void;
  restore(): Promise<void>;
  stop(): Promise<void>;
};

const host = "127.0.0.1";

export async function startProxy(serverUrl: string): Promise<Proxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let silent = false;
  let slowMs = 0;
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(serverUrl);
  url.host = `${host}:${port}`;

  return {
    url: url.href,
    cut,
    silence() {
      silent = true;
      for (const socket of sockets) socket.pause();
    },
    slow(ms) {
      slowMs = ms;
    },
    restore,
    stop: cut,
    [Symbol.asyncDispose]: cut,
  };

  async function cut(): Promise<void> {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  }

  async function restore(): Promise<void> {
    silent = false;
    slowMs = 0;
    for (const socket of sockets) socket.resume();
    while (!server.listening) {
      try {
        server = await listen(port);
      } catch {
        // An outgoing connection of somebody has the port for a moment.
        await delay(20);
      }
    }
  }

  async function listen(wanted: number): Promise<Server> {
    const listening = createServer(carry).listen(wanted, host);
    await once(listening, "listening");
    return listening;
  }

  function carry(near: Socket): void {
    const far = connect(Number(target.port), target.hostname);
    join(near, far);
    join(far, near);
  }

  function join(from: Socket, to: Socket): void {
    sockets.add(from);
    /** In order: what comes after the delay has ended must not overtake what it holds back. */
    const held: { bytes: Buffer; dueAt: number }[] = [];
    from.on("data", (bytes) => {
      if (slowMs === 0 && held.length === 0) return void to.write(bytes);
      held.push({ bytes, dueAt: performance.now() + slowMs });
      if (held.length === 1) release();
    });
    function release(): void {
      for (let next = held[0]; next !== undefined; next = held[0]) {
        const leftMs = next.dueAt - performance.now();
        if (leftMs > 0) return void setTimeout(release, leftMs);
        held.shift();
        to.write(next.bytes);
      }
    }
    from.on("error", () => {}); // Sockets that break are what this is for.
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    if (silent) from.pause();
  }
}
