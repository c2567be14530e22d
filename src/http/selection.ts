/**
 * The parameters that say where a reader starts and which events it wants: the same for pages and
 * streams.
 *
 * A list is separated by commas. Types have none; a comma that belongs to a subject is written
 * with a backslash before it (`a\,b`), and so is a backslash before a comma (`a\\`).
 */
import { z } from "zod";
import type { Position, TenantId } from "../log/event.ts";
import { typePatternForm, type Filter } from "../log/filter.ts";
import { Problem } from "../problem.ts";
import { booleanParameter, instantParameter, listParameter } from "./schemas.ts";

/** What a reader asks for. */
export type Selection = {
  readonly start: Start;
  readonly filter: Filter;
  /** Take a cursor that was made for another filter on to this one. */
  readonly rebase: boolean;
};

export type Start =
  | { readonly kind: "cursor"; readonly cursor: string }
  | { readonly kind: "earliest" | "latest" }
  /** Milliseconds since 1970: the first event appended then or later. */
  | { readonly kind: "time"; readonly at: number }
  /** Where a named consumer stands. */
  | { readonly kind: "position"; readonly position: Position };

/** More than anyone reads by name; the length of a request's head is a bound of its own. */
const typesMax = 200;
const subjectsMax = 500;

const earliestOrLatest = z.enum(["earliest", "latest"]).transform((kind) => ({ kind }));

const time = instantParameter.transform((at) => ({ kind: "time" as const, at }));

const from = z
  .union([earliestOrLatest, time], {
    error: "expected earliest, latest or a time like 2026-11-23T12:00:00.000Z",
  })
  .meta({ override: { type: "string", anyOf: undefined } });

const typePattern = z
  .string()
  .regex(typePatternForm, "expected types like order.created or order.*");

const subjects = z
  .string()
  .transform(splitSubjects)
  .pipe(z.array(z.string().min(1, "expected subjects between the commas")).max(subjectsMax));

export const selectionQuery = {
  cursor: z.string().optional().meta({
    description: "Continues right after where this cursor stands; `from` is then not looked at",
  }),
  from: from.optional().meta({
    description:
      "Where to start without a cursor: `earliest` (default), `latest` or an append time",
    example: "earliest",
  }),
  types: listParameter(typePattern, typesMax).optional().meta({
    description: "Only these types, separated by commas; `order.*` is everything below `order.`",
    example: "order.*,invoice.paid",
  }),
  subjects: subjects.optional().meta({
    description: "Only these subjects, separated by commas; `\\,` is a comma of a subject",
    example: "order_1042",
  }),
  endpoint: z.string().optional().meta({
    description:
      "What this endpoint (`ep_…`) matches, in place of `types` and `subjects`. When these are changed, a cursor of before is refused; with `rebase=true` it is taken, as whoever reconnects by itself needs",
  }),
  rebase: booleanParameter.optional().meta({
    description: "Takes a cursor that was made for another filter",
  }),
};

const selectionSchema = z.object(selectionQuery);

type SelectionQuery = z.output<typeof selectionSchema>;

/** Finds what an endpoint matches; undefined when the tenant has none with this id. */
type FilterOfEndpoint = (tenant: TenantId, endpoint: string) => Promise<Filter | undefined>;

/**
 * What the parameters ask for. An endpoint's filter is taken as it is now: a cursor that was made
 * before the filter was changed belongs to another one.
 */
export async function selectionOf(
  query: SelectionQuery,
  tenant: TenantId,
  filterOfEndpoint: FilterOfEndpoint,
): Promise<Selection> {
  const selection = toSelection(query);
  const { endpoint, types, subjects } = query;
  if (endpoint === undefined) return selection;
  if (types !== undefined || subjects !== undefined) {
    const detail = '"endpoint": it has types and subjects of its own; leave out one or the other';
    throw new Problem("invalid-parameter", detail, { members: { parameter: "endpoint" } });
  }
  const filter = await filterOfEndpoint(tenant, endpoint);
  if (filter === undefined) throw new Problem("not-found", "there is no such endpoint");
  return { ...selection, filter };
}

/** The same, without an endpoint. */
export function toSelection(query: SelectionQuery): Selection {
  const { cursor, from: start = { kind: "earliest" }, types = null, subjects = null } = query;
  return {
    start: cursor === undefined ? start : { kind: "cursor", cursor },
    filter: { types, subjects },
    rebase: query.rebase === true,
  };
}

/** Splits at commas that no backslash stands before, and takes those backslashes away. */
export function splitSubjects(text: string): string[] {
  const pieces = `,${text}`.matchAll(/,((?:\\[\\,]|[^,])*)/g);
  return Array.from(pieces, ([, piece = ""]) => piece.replaceAll(/\\([\\,])/g, "$1"));
}
