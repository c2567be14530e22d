/** `/consumers/{name}/…`: what a named consumer reads, and how it says that it has. */
import { z } from "zod";
import { reauthorize, type Directory } from "../http/auth.ts";
import { route, type Route } from "../http/route.ts";
import { cursorExample, resourceName, tenantMember } from "../http/schemas.ts";
import { sequenceText } from "../log/event.ts";
import type { ConsumerReader } from "./consumers.ts";
import {
  pageHeaderTexts,
  pageParameters,
  pageReply,
  pageResponse,
  waitMsOf,
} from "./page-routes.ts";

const { link: _, ...headers } = pageHeaderTexts;

const one = {
  tag: "consumers",
  access: "read",
  tenant: "named",
  limit: "reads",
  params: z.object({
    name: resourceName.meta({ description: "The consumer's name", example: "warehouse" }),
  }),
} as const;

const acknowledgement = z
  .strictObject({
    ...tenantMember,
    cursor: z.string().meta({ description: "Of the last page of which all is processed" }),
  })
  .meta({ id: "ConsumerAck", example: { cursor: cursorExample } });

const acknowledged = z
  .object({
    position: z.string().meta({ description: "The sequence up to which all is acknowledged" }),
  })
  .meta({ id: "ConsumerPosition", example: { position: "00000000000000001042" } });

type ConsumerRoutesOptions = { consumers: ConsumerReader; directory: Directory };

export function createConsumerRoutes(options: ConsumerRoutesOptions): Route[] {
  return [listEvents(options), acknowledge(options)];
}

function listEvents({ consumers, directory }: ConsumerRoutesOptions): Route {
  return route({
    ...one,
    method: "get",
    path: "/consumers/{name}/events",
    id: "listConsumerEvents",
    summary: "Read the events after a consumer's position, in order",
    description:
      "The position stays: until its cursor is acknowledged, the page comes again. Otherwise it is " +
      "like one of `GET /events`. A consumer that retention has overtaken gets 410 with what it " +
      "`lost`, until it seeks another place.",
    query: z.object(pageParameters),
    responses: { 200: { ...pageResponse, headers } },
    problems: ["not-found", "cursor-expired", "cursor-ahead", "feed-reset"],
    async handle({ params, query, tenant, request }) {
      const caller = { authorization: request.header("authorization"), tenant };
      const page = await consumers.page(
        params.name,
        {
          ...{ tenant, limit: query.limit },
          waitMs: waitMsOf(query, request),
          reauthorize: () => reauthorize(directory, caller, "read"),
        },
        request.outgoing,
      );
      return pageReply(page, request, { linked: false });
    },
  });
}

function acknowledge({ consumers }: ConsumerRoutesOptions): Route {
  return route({
    ...one,
    method: "post",
    path: "/consumers/{name}/ack",
    id: "ackConsumer",
    summary: "Acknowledge all up to a cursor",
    description:
      "Moves the position to the cursor of a page, and so acknowledges all the pages before it too. " +
      "One that lies before the position changes nothing; of several at once the furthest counts.",
    body: acknowledgement,
    responses: { 200: acknowledged },
    problems: ["cursor-invalid", "not-found", "feed-reset", "ack-ahead"],
    async handle({ params, body, tenant }) {
      const position = await consumers.ack(tenant, params.name, body.cursor);
      return { status: 200, body: { position: sequenceText(position) } };
    },
  });
}
