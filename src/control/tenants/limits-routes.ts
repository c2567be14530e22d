/** What a tenant may do at most: how it is written in bodies, and `/limits`, its own view of it. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import type { TenantLimits } from "../../http/auth.ts";
import type { RateLimiter } from "../../http/rate-limit.ts";
import { route, type Route } from "../../http/route.ts";
import { noEndpoints, summarizeEndpoints } from "../endpoints/summary.ts";
import { shownSummary, summaryExample } from "./summary-routes.ts";

/** What its column holds. */
const limitMax = 2_147_483_647;

const limit = z.int().min(1).max(limitMax).nullable();

const members = {
  appends_per_second: limit.meta({ description: "Events; of each process" }),
  reads_per_second: limit.meta({ description: "Requests; of each process" }),
  pushes_per_second: limit.meta({ description: "Attempts; of each process" }),
  endpoints: limit.meta({
    description: "Endpoints there may be. Lowering it removes none of those that there are",
  }),
};

export const limitsExample = {
  appends_per_second: 500,
  reads_per_second: null,
  pushes_per_second: null,
  endpoints: 100,
};

const useExample = { endpoints: 3, appends: { limit: 500, remaining: 420 }, reads: null };

export const shownLimits = z
  .object(members)
  .meta({ id: "TenantLimits", description: "What the tenant may do at most; null is no limit" });

/** A member that is null has no limit, and neither has any when the whole is null. */
export const limitsPatch = z
  .strictObject(members)
  .partial()
  .nullable()
  .meta({ id: "TenantLimitsPatch" });

export const unlimited: TenantLimits = {
  appendsPerSecond: null,
  readsPerSecond: null,
  pushesPerSecond: null,
  endpoints: null,
};

/** What a patch says, and nothing of what it leaves out. */
export function toLimits(patch: z.output<typeof limitsPatch>): Partial<TenantLimits> {
  if (patch === null) return unlimited;
  const { appends_per_second, reads_per_second, pushes_per_second, endpoints: most } = patch;
  return {
    ...(appends_per_second !== undefined && { appendsPerSecond: appends_per_second }),
    ...(reads_per_second !== undefined && { readsPerSecond: reads_per_second }),
    ...(pushes_per_second !== undefined && { pushesPerSecond: pushes_per_second }),
    ...(most !== undefined && { endpoints: most }),
  };
}

export function showLimits(limits: TenantLimits): z.output<typeof shownLimits> {
  return {
    appends_per_second: limits.appendsPerSecond,
    reads_per_second: limits.readsPerSecond,
    pushes_per_second: limits.pushesPerSecond,
    endpoints: limits.endpoints,
  };
}

/** What a rate lets through now, in the process that answers. */
const rateInUse = z
  .object({ limit: z.int(), remaining: z.int() })
  .nullable()
  .meta({ description: "What is left this second in this process; null without a limit" });

export function createLimitsRoutes(options: {
  orm: Orm;
  limiter: Pick<RateLimiter, "use">;
}): Route[] {
  const { orm, limiter } = options;
  return [
    route({
      method: "get",
      path: "/limits",
      id: "getLimits",
      tag: "tenants",
      summary: "Show a tenant's limits and what it uses of them",
      access: "read",
      tenant: "named",
      responses: {
        200: z
          .object({
            tenant: z.string(),
            limits: shownLimits,
            use: z.object({
              endpoints: z.int().meta({ description: "Endpoints there are" }),
              appends: rateInUse,
              reads: rateInUse,
            }),
            endpoints: shownSummary,
          })
          .meta({
            id: "LimitsInUse",
            example: {
              tenant: "acme",
              limits: limitsExample,
              use: useExample,
              endpoints: summaryExample,
            },
          }),
      },
      handle: async ({ tenant }) => {
        const { id, name, limits } = tenant;
        const endpoints = (await summarizeEndpoints(orm, [id])).get(id) ?? noEndpoints;
        const use = { endpoints: endpoints.total, ...limiter.use(tenant) };
        return { status: 200, body: { tenant: name, limits: showLimits(limits), use, endpoints } };
      },
    }),
  ];
}
