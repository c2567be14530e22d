/** `/endpoints/{id}/missed`: how a consumer closes the holes that pushes have left. */
import { z } from "zod";
import type { Misser, MissedReader } from "../deliveries/missed.ts";
import { reauthorize, tenantErasing, type Directory, type Tenant } from "../http/auth.ts";
import { route, type Route } from "../http/route.ts";
import { Problem } from "../problem.ts";
import type { Missed } from "./missed.ts";
import { pageParameters, pageReply, pageResponse, waitMsOf } from "./page-routes.ts";

export type MissedRoutesOptions = {
  missed: Missed;
  reader: Pick<MissedReader, "find">;
  directory: Directory;
};

export function createMissedRoutes({ missed, reader, directory }: MissedRoutesOptions): Route[] {
  return [
    route({
      method: "get",
      path: "/endpoints/{id}/missed",
      id: "listMissedEvents",
      tag: "endpoints",
      summary: "Read what an endpoint matched and has not received",
      description:
        "In order: what is being retried, dead letters, receipts that have not come in time, what " +
        "blocked subjects hold, and what waits beyond the position while nothing is pushed, or for " +
        "more than a minute. A walk ends before the first event that is still on its way, so its " +
        "cursor can be given to `POST /receipts` as `through` once all pages up to it are " +
        "processed; the walk then also confirms what was pushed, accepted and waits for its " +
        "receipt. What is delivered meanwhile is not shown, and what is missed later may lie " +
        "before the cursor: repeat the walk from the beginning to be sure. Cursors fit any filter.",
      access: "receive",
      // The id names the tenant too, so operators may leave it out.
      tenant: "optional",
      limit: "reads",
      params: z.object({
        id: z.string().meta({
          description: "The endpoint's id",
          example: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
        }),
      }),
      query: z.object({
        cursor: z.string().optional().meta({
          description: "Continues right after where this cursor stands; the oldest event otherwise",
        }),
        ...pageParameters,
      }),
      responses: { 200: pageResponse },
      problems: ["cursor-invalid", "not-found", "cursor-expired", "cursor-ahead", "feed-reset"],
      async handle({ params, query, tenant, request }) {
        const misser = await find(params.id, tenant);
        const owner = tenant ?? (await ownerOf(misser));
        const caller = { authorization: request.header("authorization"), tenant: owner };
        const { cursor, limit } = query;
        const page = await missed.page(
          {
            ...{ tenant: owner, misser, cursor, limit },
            find: () => find(params.id, owner),
            waitMs: waitMsOf(query, request),
            reauthorize: () => reauthorize(directory, caller, "receive"),
          },
          request.outgoing,
        );
        return pageReply(page, request);
      },
    }),
  ];

  async function find(id: string, tenant: Tenant | undefined): Promise<Misser> {
    const misser = await reader.find(id, tenant?.id);
    if (misser === undefined) throw new Problem("not-found", "there is no such endpoint");
    if (misser.erasing) throw tenantErasing(misser.tenantName);
    return misser;
  }

  async function ownerOf({ tenant, tenantName }: Misser): Promise<Tenant> {
    const owner = await directory.tenantByName(tenantName);
    // Gone in this moment, and its endpoints with it.
    if (owner?.id !== tenant) throw new Problem("not-found", "there is no such endpoint");
    return owner;
  }
}
