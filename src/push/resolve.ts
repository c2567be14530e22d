/**
 * Finds the addresses of a host without letting one silent name server stop the others.
 *
 * The system resolver holds one of the process's four threads for as long as a name server is
 * silent, so a few dead domains would stop every new connection. Names are therefore asked of the
 * name servers without a thread, and only what they do not know (the hosts file, search domains)
 * goes to the system resolver. A dotted name that is in both is taken from the name servers.
 */

import type { LookupAddress } from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import { LRUCache } from "lru-cache";

/** Every address of a host. Fails with an error that carries a code of `node:dns`. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Well below the default attempt time-out, so that a silent name server is named as the cause. */
const nameServerTimeoutMs = 1_000;
const nameServerTries = 2;

/** A receiver that closes every connection would otherwise cost a query per event. */
const answerTtlMs = 5_000;
const answersMax = 4_096;

/**
 * RFC 6761: never anything but this host, and never asked of a name server. Some systems know only
 * the bare name, so what is refused at delivery on one would pass as unknown on another.
 */
const localhostName = /(^|\.)localhost\.?$/i;

export function createResolver(): Resolve {
  const nameServers = new Resolver({ timeout: nameServerTimeoutMs, tries: nameServerTries });
  const answers = new LRUCache<string, readonly LookupAddress[]>({
    max: answersMax,
    ttl: answerTtlMs,
    fetchMethod: resolve,
  });
  return async (host) => (await answers.fetch(host)) ?? [];

  async function resolve(host: string): Promise<readonly LookupAddress[]> {
    if (localhostName.test(host)) return lookup("localhost", { all: true });
    if (!host.includes(".")) return lookup(host, { all: true });
    const [v4, v6] = await Promise.allSettled([
      nameServers.resolve4(host),
      nameServers.resolve6(host),
    ]);
    const addresses: LookupAddress[] = [];
    if (v4.status === "fulfilled") addresses.push(...v4.value.map(ofFamily(4)));
    if (v6.status === "fulfilled") addresses.push(...v6.value.map(ofFamily(6)));
    if (addresses.length > 0) return addresses;
    for (const answer of [v4, v6]) {
      if (answer.status === "rejected" && codeOf(answer.reason) === "ETIMEOUT") throw answer.reason;
    }
    return lookup(host, { all: true });
  }
}

/** A failure of `Resolve` in words. */
export function resolveFault(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case "ENOTFOUND":
    case "ENODATA":
      return "no such host";
    case "ETIMEOUT":
    case "EAI_AGAIN":
      return "the name server did not answer";
    default:
      return `the host could not be resolved (${code ?? "unknown error"})`;
  }
}

function ofFamily(family: 4 | 6): (address: string) => LookupAddress {
  return (address) => ({ address, family });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
