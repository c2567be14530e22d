/** How answers are kept: shown at once when they are known, asked for again while they are seen. */
import { QueryClient } from "@tanstack/preact-query";
import { ApiError } from "./api.ts";

/** What changes by itself (states, counts, lags) is asked for again this often. */
export const liveMs = 5_000;

/** Tries of a question that nothing but bad luck can have failed. */
const triesMax = 2;

export function createQueries(signOut: () => void): QueryClient {
  const queries: QueryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (failures, error) => failures < triesMax && isPassing(error),
        // Of what does not load the old answer stays, and the view says what is wrong.
        throwOnError: false,
      },
    },
  });
  queries.getQueryCache().config.onError = (error) => {
    if (error instanceof ApiError && error.status === 401) signOut();
  };
  return queries;
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}
