/** `/search`: for operators, who are asked about something and do not know whose it is. */
import { z } from "zod";
import { route, type Route } from "../../http/route.ts";
import { integerParameter } from "../../http/schemas.ts";
import { hitKinds } from "./hits.ts";
import type { Search } from "./search.ts";

/** As long as the longest URL that is told in full anywhere, and far beyond every id. */
const textMax = 2_048;

const limitMax = 100;
const limitDefault = 20;

const kind = z.enum(hitKinds);

const hit = z.object({
  kind,
  id: z.string().meta({ description: "A generated id, or a name" }),
  tenant: z.string().nullable().meta({ description: "Null for what is of no tenant" }),
  text: z.string().meta({ description: "A line about it, for people" }),
  path: z.string().meta({ description: "Where the API has it; of a key, the list it stands in" }),
});

const result = z
  .object({
    hits: z.array(hit),
    more: z.array(kind).meta({ description: "Of these there are more than `limit`" }),
    incomplete: z.array(kind).meta({ description: "There was not the time to look for these" }),
  })
  .meta({
    id: "SearchResult",
    example: {
      hits: [
        {
          kind: "endpoint",
          id: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
          tenant: "acme",
          text: "active, circuit open, https://example.com/webhooks",
          path: "/endpoints/ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
        },
      ],
      more: [],
      incomplete: [],
    },
  });

export function createSearchRoutes(search: Search): Route[] {
  return [
    route({
      method: "get",
      path: "/search",
      id: "search",
      tag: "system",
      summary: "Find things of any tenant",
      description:
        "By the exact id of an event, delivery, endpoint, replay or key, or the uuid by which logs " +
        "call a tenant. Any other text is looked for, as it is and in either case, in names of " +
        "tenants, URLs of endpoints, names of consumers and event types: of each kind the closest " +
        "first. Events are found by their id alone. What a tenant that is being erased had is not.",
      access: "operator",
      query: z.object({
        q: z
          .string()
          .trim()
          .min(1)
          .max(textMax)
          .regex(/^\P{Cc}*$/u, "must not contain control characters")
          .meta({ description: "What to look for", example: "example.com" }),
        limit: integerParameter(1, limitMax)
          .default(limitDefault)
          .meta({ description: `Hits of each kind, ${limitDefault} unless given` }),
      }),
      responses: { 200: result },
      async handle({ query: { q, limit }, request }) {
        return { status: 200, body: await search(q, limit, request.signal()) };
      },
    }),
  ];
}
