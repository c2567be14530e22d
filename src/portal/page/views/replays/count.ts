/** How many deliveries a replay would be about, as far as the API can tell beforehand. */
import { useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { api, read } from "../../api.ts";
import { checkType } from "../deliveries/filters.ts";
import type { Kind } from "./words.ts";

export type Wanted = {
  readonly status: Kind;
  readonly since?: string;
  readonly until?: string;
  readonly types?: readonly string[];
};

export type Counted = { readonly count: number; readonly more: boolean };

/** Beyond that it is only "more than": counting must not cost what the replay costs. */
const pagesMax = 5;
const pageLimit = 1_000;

/** While somebody types, nothing is counted. */
const pauseMs = 400;

/** `missing` is about more than deliveries, and a list of them is of one type at most. */
export function isCountable({ status, types = [] }: Wanted): boolean {
  return status !== "missing" && types.length <= 1 && types.every((type) => !checkType(type));
}

/** Undefined while it is not known, or cannot be. */
export function useCount(tenant: string, endpoint: string, wanted: Wanted): Counted | undefined {
  const asked = JSON.stringify(wanted);
  const [settled, setSettled] = useState(asked);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(asked), pauseMs);
    return () => clearTimeout(timer);
  }, [asked]);
  const { data } = useQuery({
    queryKey: ["deliveries", tenant, "count", endpoint, settled],
    queryFn: ({ signal }) => count(tenant, endpoint, JSON.parse(settled) as Wanted, signal),
    enabled: isCountable(JSON.parse(settled) as Wanted),
    staleTime: 10_000,
  });
  return settled === asked ? data : undefined;
}

async function count(
  tenant: string,
  endpoint: string,
  { status, since, until, types = [] }: Wanted,
  signal: AbortSignal,
): Promise<Counted> {
  const asked = {
    ...{ tenant, endpoint, limit: pageLimit },
    ...(status === "dead" ? { status } : {}),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(types[0] === undefined ? {} : { type: types[0] }),
  };
  let found = 0;
  let cursor: string | null = null;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const query = cursor === null ? asked : { ...asked, cursor };
    const page: { deliveries: unknown[]; cursor: string | null; has_more: boolean } = await read(
      api.GET("/deliveries", { params: { query }, signal }),
    );
    found += page.deliveries.length;
    if (!page.has_more) return { count: found, more: false };
    cursor = page.cursor;
  }
  return { count: found, more: true };
}
