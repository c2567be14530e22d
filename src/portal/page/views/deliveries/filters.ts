/** Which deliveries are listed, as the address says it. */
import { useSearchParams } from "wouter-preact";
import { boundsOf, type Range } from "../../parts/range.tsx";
import { statuses, type Status } from "./words.ts";

export type Filters = {
  readonly endpoint: string;
  readonly status: Status | "";
  readonly type: string;
  readonly event: string;
  readonly range: Range;
};

const typeForm = /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*(\.\*)?$/;

export function checkType(text: string): string | undefined {
  if (text === "" || typeForm.test(text)) return undefined;
  return "A type, such as order.created, or order.* for all below order";
}

export function useFilters(): [Filters, (patch: Partial<Filters>) => void] {
  const [search, setSearch] = useSearchParams();
  const filters = readFilters(search);
  const change = (patch: Partial<Filters>) =>
    setSearch(writeFilters({ ...filters, ...patch }), { replace: true });
  return [filters, change];
}

/** What cannot be is left out: an address may have been typed. */
function readFilters(search: URLSearchParams): Filters {
  const of = (name: string) => search.get(name) ?? "";
  const type = of("type");
  return {
    endpoint: of("endpoint"),
    status: statuses.find(([status]) => status === of("status"))?.[0] ?? "",
    type: checkType(type) === undefined ? type : "",
    event: of("event"),
    range: { last: of("last"), since: of("since"), until: of("until") },
  };
}

function writeFilters({ range, ...texts }: Filters): [string, string][] {
  return Object.entries({ ...texts, ...range }).filter(([, value]) => value !== "");
}

/** As the API takes them, at `now`. */
export function queryOf({ range, endpoint, status, type, event }: Filters, now: number) {
  return {
    ...(endpoint === "" ? {} : { endpoint }),
    ...(status === "" ? {} : { status }),
    ...(type === "" ? {} : { type }),
    ...(event === "" ? {} : { event }),
    ...boundsOf(range, now),
  };
}

export function isFiltered({ range, ...texts }: Filters): boolean {
  return [...Object.values(texts), ...Object.values(range)].some((value) => value !== "");
}
