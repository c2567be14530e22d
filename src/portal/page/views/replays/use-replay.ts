/** A replay, asked for again and again until it is over. */
import { useQuery } from "@tanstack/preact-query";
import { api, read } from "../../api.ts";

/** While it runs: a bar that is looked at should move. */
const runningMs = 1_000;

/** Nothing without an id. */
export function useReplay(tenant: string, id: string | undefined) {
  return useQuery({
    queryKey: ["replays", tenant, "one", id],
    queryFn: ({ signal }) => {
      const params = { path: { id: id ?? "" }, query: { tenant } };
      return read(api.GET("/replays/{id}", { params, signal }));
    },
    enabled: id !== undefined,
    refetchInterval: ({ state: { data } }) => (data?.status === "running" ? runningMs : false),
  });
}
