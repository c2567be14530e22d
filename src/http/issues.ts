/** Says what a schema has against a value, in the form a response carries. */
import type { z } from "zod";

export type Issue = {
  /** JSON pointer (RFC 6901) to the value at fault; empty for the whole. */
  readonly pointer: string;
  readonly detail: string;
};

/** More would help nobody, and a large batch could make the answer larger than the request. */
const issueLimit = 20;

export function listIssues(error: z.core.$ZodError): Issue[] {
  return error.issues.flatMap((issue) => describe(issue, [])).slice(0, issueLimit);
}

type Path = readonly PropertyKey[];

function describe(issue: z.core.$ZodIssue, base: Path): Issue[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, issueLimit).map((key) => ({
      pointer: pointerTo([...path, key]),
      detail: "unknown member",
    }));
  }
  if (issue.code === "invalid_union") {
    const branch = closestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((nested) => describe(nested, path));
  }
  return [{ pointer: pointerTo(path), detail: detailOf(issue) }];
}

/** The only form of a union that the value resembles: it is at fault inside, not as a whole. */
function closestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const resembling = branches.filter((issues) => issues.every((issue) => issue.path.length > 0));
  return resembling.length === 1 ? resembling[0] : undefined;
}

function detailOf(issue: z.core.$ZodIssue): string {
  const isUnsaid = issue.code === "invalid_union" && issue.message === "Invalid input";
  if (isUnsaid) return "has none of the forms it may have";
  return issue.message.replace(/^Invalid input: /, "");
}

function pointerTo(path: Path): string {
  return path
    .map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
