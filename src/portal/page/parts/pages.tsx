/** Lists of the API, page by page: more is read when somebody asks for it. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/preact-query";
import { Button } from "./button.tsx";

/** More pages than this are not asked for again by themselves: nobody looks at all of them. */
const livePagesMax = 3;

type Page = { readonly cursor: string | null; readonly has_more: boolean };

/** `load` reads the page after a cursor, the first one without; `key` names all that it depends on. */
export function usePages<P extends Page>(options: {
  key: readonly unknown[];
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<P>;
  /** Asked again so often; the pages that are there all together, unless they are many. */
  everyMs?: number | undefined;
  enabled?: boolean;
  /** What another key gave stays until this one's answer is there: for filters. */
  keep?: boolean;
}) {
  return useInfiniteQuery({
    queryKey: options.key,
    queryFn: ({ pageParam, signal }) => options.load(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.has_more ? (page.cursor ?? undefined) : undefined),
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) > livePagesMax ? false : (options.everyMs ?? false),
    placeholderData: options.keep === true ? keepPreviousData : undefined,
    enabled: options.enabled ?? true,
  });
}

export function LoadMore(props: {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}) {
  if (!props.hasNextPage) return null;
  return (
    <div class="card-body row">
      <Button disabled={props.isFetchingNextPage} onPress={() => void props.fetchNextPage()}>
        {props.isFetchingNextPage ? "Loading …" : "Show more"}
      </Button>
    </div>
  );
}
