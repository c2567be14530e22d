/**
 * Problems as the document describes them: one schema for each, with the members of its own. A
 * client that compares `type` thereby knows what else is there. Nothing here checks an answer.
 */
import { z } from "zod";
import { type ProblemSlug, problems, problemType } from "../problem.ts";

const common = {
  detail: z.string().optional().meta({ description: "About this occurrence, for people" }),
};

const list = Object.entries(problems)
  .map(([slug, { status, title }]) => `- \`${slug}\` (${status}): ${title}`)
  .join("\n");

/** Any of them: in the results of a batch, and on a stream. */
export const problemSchema = z
  .looseObject({
    type: z.url(),
    title: z.string(),
    status: z.int().min(400).max(599),
    ...common,
  })
  .meta({
    id: "Problem",
    description: `RFC 9457; some have further members. \`type\` ends with one of:\n\n${list}`,
    example: {
      type: problemType("unknown-tenant"),
      title: problems["unknown-tenant"].title,
      status: problems["unknown-tenant"].status,
      detail: 'there is no tenant "acme"',
    },
  });

const parameter = z.string().optional().meta({ description: "Its name" });

const fault = z
  .object({
    pointer: z.string().meta({ description: "A JSON pointer", example: "/retry_schedule/0" }),
    detail: z.string().meta({ example: "expected a duration from 1s to 24h" }),
  })
  .meta({ id: "Fault" });

const cursors = {
  oldest_cursor: z.string().meta({ description: "Starts with the oldest event there is" }),
  latest_cursor: z.string().meta({ description: "Starts after the newest event there is" }),
};

/** What some problems tell beside their text. */
const ownMembers: { readonly [Slug in ProblemSlug]?: z.ZodRawShape } = {
  "unknown-parameter": { parameter },
  "duplicate-parameter": { parameter },
  "invalid-parameter": { parameter },
  "tenant-required": { parameter },
  "scope-missing": { scope: z.string().meta({ description: "The scope that is missing" }) },
  "cursor-expired": {
    lost: z.int().min(0).meta({ description: "How many events after the cursor have expired" }),
    ...cursors,
  },
  "cursor-ahead": cursors,
  "feed-reset": cursors,
  "payload-too-large": {
    limit_bytes: z.int().min(0).optional().meta({ description: "What would have been taken" }),
  },
  invalid: {
    errors: z.array(fault).meta({ description: "What is at fault in the body" }),
  },
  "ack-ahead": {
    handed_out: z.string().meta({ description: "The sequence up to which it was handed out" }),
  },
  "quota-exceeded": {
    limit: z.string().meta({ description: "The limit's name", example: "appends_per_second" }),
    value: z.int().min(1).meta({ description: "How high it is" }),
  },
  "internal-error": { id: z.string().meta({ description: "Found in the gateway's log" }) },
};

const schemas = new Map(
  (Object.keys(problems) as ProblemSlug[]).map((slug) => [slug, schemaOf(slug)]),
);

/** The schema of an answer that is one of these. */
export function problemSchemaOf(slugs: readonly ProblemSlug[]): z.ZodType {
  const [first, ...others] = slugs.flatMap((slug) => schemas.get(slug) ?? []);
  if (first === undefined) throw new Error("no problem is named");
  return others.length === 0 ? first : z.xor([first, ...others]);
}

function schemaOf(slug: ProblemSlug): z.ZodType {
  const { status, title } = problems[slug];
  return z
    .looseObject({
      type: z.literal(problemType(slug)),
      title: z.string().meta({ example: title }),
      status: z.literal(status),
      ...common,
      ...ownMembers[slug],
    })
    .meta({ id: schemaName(slug) });
}

/** `cursor-expired` becomes `CursorExpiredProblem`. */
function schemaName(slug: ProblemSlug): string {
  const words = slug.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}Problem`;
}
