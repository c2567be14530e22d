/** What is asked about endpoints. */
import { useQuery } from "@tanstack/preact-query";
import { api, read, type Schemas } from "../../api.ts";
import { liveMs } from "../../query.ts";

export type EndpointView = Schemas["Endpoint"];

/** The most that the API gives at once. */
const pageMax = 1_000;

/** Far more than anybody looks through; beyond it the list says that it is not whole. */
const pagesMax = 5;

/** Many endpoints are much to send; they are asked for less often. */
const manyMs = 30_000;

export type EndpointList = { readonly endpoints: readonly EndpointView[]; readonly isCut: boolean };

/** All endpoints of a tenant: which of them are in trouble can only be told over all. */
export function useEndpoints(tenant: string) {
  return useQuery({
    queryKey: ["endpoints", tenant, "all"],
    queryFn: ({ signal }) => readAll(tenant, signal),
    refetchInterval: ({ state }) =>
      (state.data?.endpoints.length ?? 0) > pageMax ? manyMs : liveMs,
  });
}

export function useEndpoint(tenant: string, id: string) {
  return useQuery({
    queryKey: ["endpoint", tenant, id],
    queryFn: ({ signal }) =>
      read(api.GET("/endpoints/{id}", { params: { path: { id }, query: { tenant } }, signal })),
    refetchInterval: liveMs,
  });
}

async function readAll(tenant: string, signal: AbortSignal): Promise<EndpointList> {
  const endpoints: EndpointView[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = { tenant, limit: pageMax, ...(cursor !== undefined && { cursor }) };
    const answer = await read(api.GET("/endpoints", { params: { query }, signal }));
    endpoints.push(...answer.endpoints);
    if (!answer.has_more) return { endpoints, isCut: false };
    cursor = answer.cursor ?? undefined;
  }
  return { endpoints, isCut: true };
}
