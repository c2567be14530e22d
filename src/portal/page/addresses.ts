/** Where each view stands. Addresses are written nowhere else. */

type Search = Readonly<Record<string, string | undefined>>;

/** Of all addresses; the server gives the page for everything below. */
export const base = "/portal";

export const operator = {
  home: "/",
  tenants: "/tenants",
  search: (q: string) => withSearch("/search", { q }),
  system: "/system",
};

/** Of one tenant. Ids and names are put into paths percent-encoded, whatever they contain. */
export function tenantAddresses(tenant: string) {
  const root = `/tenants/${encodeURIComponent(tenant)}`;
  const below = (part: string) => (id: string) => `${root}/${part}/${encodeURIComponent(id)}`;
  return {
    overview: root,
    endpoints: `${root}/endpoints`,
    newEndpoint: `${root}/endpoints/new`,
    endpoint: below("endpoints"),
    deliveries: (search: Search = {}) => withSearch(`${root}/deliveries`, search),
    delivery: below("deliveries"),
    missed: (search: Search = {}) => withSearch(`${root}/missed`, search),
    replays: `${root}/replays`,
    replay: below("replays"),
    feed: (search: Search = {}) => withSearch(`${root}/events`, search),
    event: below("events"),
    eventTypes: `${root}/event-types`,
    eventType: below("event-types"),
    consumers: `${root}/consumers`,
    consumer: below("consumers"),
    signatures: (search: Search = {}) => withSearch(`${root}/signatures`, search),
    keys: `${root}/keys`,
    limits: `${root}/limits`,
  };
}

export function withSearch(path: string, search: Search): string {
  const given = Object.entries(search).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** The tenant that a part of a path names; undefined where it is no text (`%E0`). */
export function tenantIn(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
