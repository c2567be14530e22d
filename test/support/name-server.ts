/**
 * A name server on a free loopback port, whose answers a test sets and changes, and name
 * resolution of this process pointed at it. So a whole gateway can be led to names that resolve
 * to nothing, to private addresses, or to another address each time.
 */
import { createSocket } from "node:dgram";
import dns, { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";

export type NameServer = AsyncDisposable & {
  /** The IPv4 addresses of a name from now on; none: there is no such host. */
  set(name: string, ...addresses: string[]): void;
  /** Queries for a name's IPv4 addresses so far. */
  asked(name: string): number;
};

const headerBytes = 12;
const typeA = 1;
const noSuchName = 3;

export async function startNameServer(): Promise<NameServer> {
  const names = new Map<string, readonly string[]>();
  const queries = new Map<string, number>();
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    socket.send(answer(query), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const restore = resolveWith(`127.0.0.1:${socket.address().port}`);

  return {
    set: (name, ...addresses) => void names.set(name, addresses),
    asked: (name) => queries.get(name) ?? 0,
    async [Symbol.asyncDispose]() {
      restore();
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };

  function answer(query: Buffer): Buffer {
    const { name, type, end } = readQuestion(query);
    if (type === typeA) queries.set(name, (queries.get(name) ?? 0) + 1);
    const known = names.get(name) ?? [];
    const addresses = type === typeA ? known : [];
    const header = Buffer.from(query.subarray(0, headerBytes));
    header.writeUInt16BE(0x8580 | (known.length === 0 ? noSuchName : 0), 2); // An answer, final.
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((address) =>
      Buffer.from([0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, ...octets(address)]),
    );
    return Buffer.concat([header, query.subarray(headerBytes, end), ...records]);
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function octets(address: string): number[] {
  return address.split(".").map(Number);
}

/**
 * Makes every resolver of this process ask this server and no other. The system's resolver, which
 * is asked for what the name servers do not know, would go out to the machine's own ones: it knows
 * nothing here either.
 */
function resolveWith(server: string): () => void {
  const { resolve4, resolve6 } = Resolver.prototype;
  const { lookup } = dns;
  const pointed = new WeakSet<Resolver>();
  Resolver.prototype.resolve4 = pointing(resolve4);
  Resolver.prototype.resolve6 = pointing(resolve6);
  dns.lookup = (async (name: string, options: object) => {
    if (!name.includes(".")) return lookup(name, options);
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
  }) as typeof lookup;
  syncBuiltinESMExports();
  return restore;

  function pointing<Resolve extends (...asked: never[]) => unknown>(resolve: Resolve): Resolve {
    const redirected = function (this: Resolver, ...asked: never[]): unknown {
      // Refused while a query is under way, so once for each.
      if (!pointed.has(this)) this.setServers([server]);
      pointed.add(this);
      return resolve.apply(this, asked);
    };
    return redirected as Resolve;
  }

  function restore(): void {
    Object.assign(Resolver.prototype, { resolve4, resolve6 });
    dns.lookup = lookup;
    syncBuiltinESMExports();
  }
}
