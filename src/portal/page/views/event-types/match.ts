/** The types that an endpoint asks for: exact ones, and `order.*` for everything below `order.`. */
export function isWanted(filter: readonly string[] | null, type: string): boolean {
  if (filter === null) return true;
  return filter.some((each) =>
    each.endsWith(".*") ? type.startsWith(each.slice(0, -1)) : each === type,
  );
}
