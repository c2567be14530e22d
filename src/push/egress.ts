/**
 * Decides which addresses a push may reach: globally routable unicast, and what the operator
 * allows by name. It keeps a tenant from aiming the gateway at the network that it stands in.
 *
 * A name is resolved once per connection, every answer is vetted, and the connection goes to a
 * vetted answer and nowhere else, so a name that changes its mind in between gains nothing.
 * It does not look at ports, and behind an egress proxy, which resolves names itself, it vets
 * literal addresses only: there the proxy's own rules have to hold for names. Nor can it know a
 * prefix of the network's own by which NAT64 leads to IPv4 addresses: it looks like any other.
 */

import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import ipaddr from "ipaddr.js";

import { createResolver, resolveFault, type Resolve } from "./resolve.ts";

/** Why no connection was tried. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly class: "dns" | "address";

  constructor(failureClass: "dns" | "address", message: string) {
    super(message);
    this.class = failureClass;
  }
}

export type UrlCheck =
  | { readonly kind: "accepted" }
  | { readonly kind: "invalid"; readonly detail: string }
  | { readonly kind: "address-not-allowed"; readonly detail: string };

export type EgressPolicy = {
  permits(address: string): boolean;
  /** Why a literal address may not be reached. A name has no refusal here: `lookup` vets it. */
  refusal(host: string): EgressError | undefined;
  /** Stands in for `dns.lookup` when a socket connects. Sockets skip it for literal addresses. */
  readonly lookup: LookupFunction;
  /** What an endpoint's URL has to pass when it is set, so that delivery will not refuse it. */
  checkUrl(text: string): Promise<UrlCheck>;
};

/** What browsers and proxies still carry. */
const urlMaxLength = 2_048;

/** Nobody waits longer than this for a name server when an endpoint is created. */
const checkTimeoutMs = 3_000;

const accepted: UrlCheck = { kind: "accepted" };

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [address: Address, prefixBits: number];

/** The only part of the IPv6 space that is assigned for global unicast. */
const globalUnicast: Network = [ipaddr.IPv6.parse("2000::"), 3];
const nat64: Network = [ipaddr.IPv6.parse("64:ff9b::"), 96];

/** A public address by its form, but in Azure the host's own agent, which hands out secrets. */
const platform: Network = [ipaddr.IPv4.parse("168.63.129.16"), 32];

export function createEgressPolicy({
  allow,
  resolve = createResolver(),
}: {
  /** CIDRs, or single addresses, that may be reached although they are private or special. */
  allow: readonly string[];
  resolve?: Resolve;
}): EgressPolicy {
  const allowed = allow.map(parseNetwork);
  return { permits, refusal, lookup, checkUrl };

  function permits(address: string): boolean {
    return isIP(address) !== 0 && refusal(address) === undefined;
  }

  function refusal(host: string): EgressError | undefined {
    if (isIP(host) === 0) return undefined;
    const address = parseAddress(host);
    const inner = embedded(address);
    if (allowed.some((network) => contains(network, address) || contains(network, inner))) {
      return undefined;
    }
    const range = rangeOf(inner);
    if (range === "unicast") return undefined;
    return new EgressError("address", `${host} is not allowed (${range} address)`);
  }

  function lookup(...[host, { all }, callback]: Parameters<LookupFunction>): void {
    vetted(host).then(
      (addresses) => {
        if (all === true) return callback(null, addresses);
        const [first] = addresses;
        callback(null, first?.address ?? "", first?.family);
      },
      (error: Error) => callback(error, []),
    );
  }

  /** At least one address, all of them permitted. */
  async function vetted(host: string): Promise<LookupAddress[]> {
    const addresses = await resolve(host).catch((error: unknown) => {
      throw new EgressError("dns", resolveFault(error));
    });
    const permitted = addresses.filter(({ address }) => permits(address));
    if (permitted.length > 0) return permitted;
    if (addresses.length === 0) throw new EgressError("dns", "no such host");
    // The address itself is not told: a tenant could read the internal name service with it.
    throw new EgressError("address", `${host} resolves to an address that is not allowed`);
  }

  async function checkUrl(text: string): Promise<UrlCheck> {
    const url = parseUrl(text);
    if (typeof url === "string") return { kind: "invalid", detail: url };
    const host = hostOf(url);
    const refused = refusal(host);
    if (refused !== undefined) return { kind: "address-not-allowed", detail: refused.message };
    if (isIP(host) !== 0) return accepted;
    return Promise.race([checkHost(host), delay(checkTimeoutMs, accepted, { ref: false })]);
  }

  /**
   * A host that does not resolve is accepted: its DNS entry may come later, and delivery vets the
   * answers again at each connection.
   */
  async function checkHost(host: string): Promise<UrlCheck> {
    try {
      await vetted(host);
    } catch (error) {
      if (!(error instanceof EgressError)) throw error;
      if (error.class === "address") return { kind: "address-not-allowed", detail: error.message };
    }
    return accepted;
  }
}

/** The host of a URL as sockets take it: IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** The URL, or why it cannot be an endpoint's. */
function parseUrl(text: string): URL | string {
  if (text.length > urlMaxLength) return `longer than ${urlMaxLength} characters`;
  // The parser would drop these silently, and the URL shown would not be the URL used.
  if (/[\s\p{Cc}]/u.test(text)) return "contains white space or control characters";
  // Stored as UTF-8, it would come back as another one.
  if (!text.isWellFormed()) return "contains half of a surrogate pair";
  const url = URL.parse(text);
  if (url === null) return "not an absolute URL";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must be http or https";
  if (url.hostname === "") return "names no host";
  if (url.port === "0") return "port 0 cannot be reached";
  if (url.username !== "" || url.password !== "") {
    return "must not contain credentials: use the endpoint's headers";
  }
  if (text.includes("#")) return "must not contain a fragment: it would never be sent";
  return url;
}

function parseNetwork(text: string): Network {
  const [address, bits] = text.includes("/")
    ? ipaddr.parseCIDR(text)
    : ipaddr.parseCIDR(`${text}/${isIP(text) === 4 ? 32 : 128}`);
  return [address, bits];
}

/** The library takes `::1.2.3.4`, as resolvers write it, for the mapped `::ffff:1.2.3.4`. */
function parseAddress(text: string): Address {
  const dotted = /^::(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (dotted === undefined) return ipaddr.parse(text);
  return new ipaddr.IPv6([...Array<number>(12).fill(0), ...ipaddr.IPv4.parse(dotted).octets]);
}

function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** The IPv4 address that a mapped or NAT64 address leads to, or the address itself. */
function embedded(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (!address.isIPv4MappedAddress() && !contains(nat64, address)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

/** The kind of range an address lies in, in words; "unicast" is the globally routable one. */
function rangeOf(address: Address): string {
  if (contains(platform, address)) return "cloud platform";
  const range = address.range();
  // Among the rest are addresses like ::127.0.0.1, which the library takes for unicast.
  if (range === "unicast" && address.kind() === "ipv6" && !contains(globalUnicast, address)) {
    return "reserved";
  }
  return range.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
