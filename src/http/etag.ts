/** Whether a caller has what it asks for already. */

/** Whether an `If-None-Match` names this validator. Compares weakly, as RFC 9110 has it. */
export function namesTag(ifNoneMatch: string | undefined, tag: string | undefined): boolean {
  if (ifNoneMatch === undefined || tag === undefined) return false;
  const named = ifNoneMatch.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return named.includes(tag) || named.includes("*");
}
