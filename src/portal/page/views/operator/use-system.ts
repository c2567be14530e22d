/** The gateway itself, as its API tells of it, again and again. */
import { useQuery } from "@tanstack/preact-query";
import { api, read } from "../../api.ts";
import { liveMs } from "../../query.ts";

export function useSystem() {
  return useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => read(api.GET("/system", { signal })),
    refetchInterval: liveMs,
  });
}
