/**
 * Schemas that several stages share, so that a name, a number or a list looks the same wherever
 * it stands. A query parameter arrives as a string and leaves as what it means.
 */
import { z } from "zod";

/** Tenants and consumers are called by names of this form. */
export const resourceName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{1,128}$/, "expected 1 to 128 letters, digits or _ . -");

/** For bodies in which operators may name the tenant; `mountRoutes` resolves it. */
export const tenantMember = {
  tenant: resourceName
    .optional()
    .meta({ description: "The tenant, for operator keys", example: "acme" }),
};

/** A time in an answer: RFC 3339 in UTC with milliseconds, as `toISOString` writes it. */
export const timestamp = z
  .string()
  .meta({ format: "date-time", example: "2026-11-23T12:00:00.000Z" });

/** A time in a request; becomes milliseconds since 1970. */
export const instant = z.iso
  .datetime({ offset: true, error: "expected a time like 2026-11-23T12:00:00.000Z" })
  .transform((text) => Date.parse(text))
  .meta({ override: { type: "string", format: "date-time", pattern: undefined } });

/** The same in a query: a `+` of an offset that was not percent-encoded has become a space there. */
export const instantParameter = z
  .string()
  .transform((text) => text.replace(/ (?=\d\d:\d\d$)/, "+"))
  .pipe(instant)
  .meta({ override: { type: "string", format: "date-time", pattern: undefined } });

/** A whole number in a query. */
export function integerParameter(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `expected a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .meta({ override: { type: "integer", minimum, maximum, pattern: undefined } });
}

/** `true` or `false` in a query. */
export const booleanParameter = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .meta({ override: { type: "boolean", enum: undefined } });

/** Several values in one parameter, separated by commas: `?types=order.*,invoice.paid`. */
export function listParameter<Item extends z.ZodType<unknown, string>>(item: Item, limit: number) {
  return z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(item).max(limit));
}

const pageLimit = { maximum: 1_000, default: 100 };

/** For the document: where a reader may stand. */
export const cursorExample = "AQEAjk4dXQAAAAAAAAQSUSoZq0s3xH6RfgAAAAAAAACz1vX0hQy3mX2pWq7dTB0k";

/** In characters; cursors of ours stay far below. */
const cursorLimit = 1_024;

/** The parameters of every list. */
export const pageQuery = {
  limit: integerParameter(1, pageLimit.maximum)
    .default(pageLimit.default)
    .meta({ description: `Items on the page, ${pageLimit.default} unless given` }),
  cursor: z.string().min(1).max(cursorLimit).optional().meta({
    description: "Where the page before this one ended",
  }),
};

/** An answer's list: items stand under the plural of their name. Its example has that of an item. */
export function pageOf<Name extends string, Item extends z.ZodType>(name: Name, item: Item) {
  const items = { [name]: z.array(item) } as Record<Name, z.ZodArray<Item>>;
  const example = item.meta()?.example;
  return z
    .object({
      ...items,
      cursor: z.string().nullable().meta({ description: "Continues after the last item" }),
      has_more: z.boolean(),
    })
    .meta(
      example === undefined
        ? {}
        : { example: { [name]: [example], cursor: null, has_more: false } },
    );
}
