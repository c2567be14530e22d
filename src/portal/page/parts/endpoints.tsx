/** The endpoints of a tenant by name: to choose one, and to say which one something is about. */
import { useQuery } from "@tanstack/preact-query";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../addresses.ts";
import { api, read, type Schemas } from "../api.ts";
import { liveMs } from "../query.ts";
import { Badge } from "./badge.tsx";
import { Select } from "./field.tsx";

export type KnownEndpoint = Schemas["Endpoint"];

/** What is chosen from at most; the API's largest page. */
const listedMax = 1_000;

/** Names change seldom, states oftener; both are only shown beside something else here. */
const everyMs = 15_000;

export type KnownEndpoints = {
  readonly all: readonly KnownEndpoint[];
  readonly byId: ReadonlyMap<string, KnownEndpoint>;
  /** Whether an id that is not among them is of one that was removed. */
  readonly complete: boolean;
};

const none: KnownEndpoints = { all: [], byId: new Map(), complete: false };

/** Empty until they are known. */
export function useEndpoints(tenant: string): KnownEndpoints {
  const { data = none } = useQuery({
    queryKey: ["endpoints", tenant, "named"],
    queryFn: ({ signal }) =>
      read(api.GET("/endpoints", { params: { query: { tenant, limit: listedMax } }, signal })),
    select: ({ endpoints, has_more: more }): KnownEndpoints => ({
      all: endpoints,
      byId: new Map(endpoints.map((each) => [each.id, each])),
      complete: !more,
    }),
    refetchInterval: everyMs,
  });
  return data;
}

/** One as it is now. */
export function useEndpoint(tenant: string, id: string) {
  return useQuery({
    queryKey: ["endpoint", tenant, id],
    queryFn: ({ signal }) => {
      const params = { path: { id }, query: { tenant } };
      return read(api.GET("/endpoints/{id}", { params, signal }));
    },
    refetchInterval: liveMs,
  });
}

/** Its description if it has one, its address otherwise. */
function endpointName({ description, url }: Pick<KnownEndpoint, "description" | "url">) {
  return description === null || description === "" ? shortUrl(url) : description;
}

export function EndpointLink(props: { tenant: string; id: string; endpoints: KnownEndpoints }) {
  const { tenant, id, endpoints } = props;
  const known = endpoints.byId.get(id);
  if (known === undefined) {
    return (
      <span class="soft" title={id}>
        {endpoints.complete ? "Removed endpoint" : `${id.slice(0, 11)}…`}
      </span>
    );
  }
  return (
    <Link href={tenantAddresses(tenant).endpoint(id)} title={known.url} class="endpoint-link">
      <bdi>{endpointName(known)}</bdi>
    </Link>
  );
}

export function EndpointSelect(props: {
  endpoints: KnownEndpoints;
  value: string;
  onValue: (id: string) => void;
  label?: string;
}) {
  const { endpoints, value, onValue, label = "Endpoint" } = props;
  const isKnown = value === "" || endpoints.byId.has(value);
  return (
    <Select
      {...{ label, value, onValue }}
      options={[
        ["", "All endpoints"],
        ...endpoints.all.map((each) => [each.id, cut(endpointName(each))] as const),
        ...(isKnown ? [] : [[value, `${value.slice(0, 11)}…`] as const]),
      ]}
    />
  );
}

/** Its circuit says something only while it is pushed to. */
export function EndpointState({ status, circuit }: { status: string; circuit: string }) {
  if (status !== "active" || circuit === "closed") return <Badge state={status} />;
  return <Badge state={circuit} text={circuit === "open" ? "Circuit open" : "Being probed"} />;
}

function shortUrl(url: string): string {
  return cut(url.replace(/^https?:\/\//, ""));
}

/** Longer names make a list of choices wider than a screen. */
function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
