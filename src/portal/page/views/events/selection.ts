/** Which events a feed shows, as the address has it and as the API takes it. */
import { selectionQuery, type Selection } from "../../../../client/page.ts";

/** `order.*,invoice.paid`, and subjects in which `\,` is a comma. */
export function selectionOf(types: string, subjects: string): Selection {
  return { types: listOf(types), subjects: listOf(subjects) };
}

/** The parameters of the API for it. */
export function queryOf(selection: Selection): { types?: string; subjects?: string } {
  const { types, subjects } = selectionQuery(selection);
  return { ...(types !== undefined && { types }), ...(subjects !== undefined && { subjects }) };
}

function listOf(text: string): string[] | undefined {
  const parts = text.match(/(\\.|[^,\\])+/g) ?? [];
  const listed = parts.map((part) => part.replace(/\\(.)/g, "$1").trim());
  const given = listed.filter((part) => part !== "");
  return given.length === 0 ? undefined : given;
}
