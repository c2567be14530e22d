/**
 * A TCP proxy in front of a server: the network between, to be cut, silenced and restored. A cut
 * closes what is open and refuses what is new, as a server does that is gone; silence carries
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
  restore(): Promise<void>;
  stop(): Promise<void>;
};

const host = "127.0.0.1";

export async function startProxy(serverUrl: string): Promise<Proxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let silent = false;
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
    from.on("data", (bytes) => to.write(bytes));
    from.on("error", () => {}); // Sockets that break are what this is for.
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    if (silent) from.pause();
  }
}
