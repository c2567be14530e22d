/**
 * Filters in SQL, for statements that look for events without bringing out those that do not match.
 * They ask the same of an event as `compileFilter`.
 */
import { arrayText } from "../db/database.ts";
import type { Filter } from "./filter.ts";

/** Of the driver, or of drizzle. */
type Tag<Fragment> = (text: TemplateStringsArray, ...values: (string | boolean)[]) => Fragment;

/** A condition over columns that are named `type` and `subject`, of the statement that `sql` makes. */
export function matching<Fragment>(sql: Tag<Fragment>, { types, subjects }: Filter): Fragment {
  const { exact, below } = splitTypes(types ?? []);
  return sql`(${types === null}::boolean or type = any(${arrayText(exact)}::text[])
      or type like any(${arrayText(below)}::text[]))
    and (${subjects === null}::boolean or subject = any(${arrayText(subjects ?? [])}::text[]))`;
}

/** The same of a filter in columns `types` and `subjects` of `filter`, with `belowTypes` as `below`. */
export function matchingColumns<Fragment>(sql: Tag<Fragment>): Fragment {
  return sql`(filter.types is null or type = any(filter.types) or type like any(filter.below))
    and (filter.subjects is null or subject = any(filter.subjects))`;
}

/** Of a column `types`: the patterns for LIKE, as `splitTypes` makes them. */
export function belowTypes<Fragment>(sql: Tag<Fragment>): Fragment {
  return sql`array(select replace(left(t, -1), '_', '\\_') || '%'
    from unnest(types) as t where right(t, 2) = '.*')`;
}

function splitTypes(types: readonly string[]): { exact: string[]; below: string[] } {
  const exact: string[] = [];
  const below: string[] = [];
  for (const type of types) {
    if (!type.endsWith(".*")) exact.push(type);
    else below.push(likePattern(type));
  }
  return { exact, below };
}

/** `a_b.*` becomes `a\_b.%`: to LIKE an underscore is any character. A type has no other of those. */
export function likePattern(below: string): string {
  return `${below.slice(0, -"*".length).replaceAll("_", "\\_")}%`;
}
