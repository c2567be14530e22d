/**
 * Replays: deliveries are made again because somebody wants it. What is asked for becomes a job of a
 * range of the log, which is fixed here; how it is done is in replays.ts.
 */
import { z } from "zod";
import type { Sql } from "../db/database.ts";
import { parseDeliveryId } from "../deliveries/delivery-id.ts";
import { endpointUuid } from "../deliveries/endpoint.ts";
import { createHistory, type History } from "../deliveries/history.ts";
import {
  createReplayStore,
  replayStatuses,
  replayUuid,
  type Replay,
  type Replayable,
  type ReplayStore,
} from "../deliveries/replays.ts";
import { createMarks, type Marks } from "../feed/marks.ts";
import { tenantErasing, type Tenant } from "../http/auth.ts";
import { readListCursor, writeListCursor } from "../http/list-cursor.ts";
import { ownerOf, type TenantByPrefix } from "../http/owner.ts";
import { route, type Route } from "../http/route.ts";
import { pageOf, pageQuery } from "../http/schemas.ts";
import type { Cursors } from "../log/cursor.ts";
import type { Position, TenantId } from "../log/event.ts";
import { unfiltered } from "../log/filter.ts";
import type { Log } from "../log/log.ts";
import { Problem, type ProblemSlug } from "../problem.ts";
import { deliveryExample } from "./body-routes.ts";
import { newReplay, replayExample, showReplay, shownReplay } from "./replay-body-routes.ts";

type Parts = {
  readonly store: ReplayStore;
  readonly history: History;
  readonly marks: Marks;
  readonly log: Log;
  readonly tenantByPrefix: TenantByPrefix;
  readonly changed: (tenant: TenantId, shard: number) => void;
};

const shared = { tag: "replays", access: "manage" } as const;

const oneReplay = {
  ...shared,
  path: "/replays/{id}",
  tenant: "optional",
  params: z.object({
    id: z.string().meta({ description: "The replay's id", example: replayExample.id }),
  }),
  problems: ["not-found"],
} as const;

const created = {
  202: { body: shownReplay, headers: { location: "The path of the replay" } },
};

const cursorProblems = ["cursor-invalid", "cursor-expired", "cursor-ahead", "feed-reset"] as const;
const newProblems = ["not-found", "quota-exceeded"] as const satisfies ProblemSlug[];

const listCursorForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const about =
  "Each event is sent once more, in the order of the log, with the same bytes and the header " +
  "`tidegate-replay`; what is live goes first. A paused endpoint, or an open circuit, keeps a " +
  "replay waiting. What retention takes before its turn is passed over.";

export function createReplayRoutes({
  sql,
  cursors,
  ...others
}: Omit<Parts, "store" | "history" | "marks"> & {
  readonly sql: Sql;
  readonly cursors: Cursors;
}): Route[] {
  const { log } = others;
  const parts: Parts = {
    ...others,
    store: createReplayStore(sql),
    history: createHistory({ sql, log }),
    marks: createMarks({ log, cursors }),
  };
  return [replayDelivery(parts), createReplay(parts), listReplays(parts), ...routesOfOne(parts)];
}

function replayDelivery({ store, history, tenantByPrefix, changed }: Parts): Route {
  return route({
    ...shared,
    method: "post",
    path: "/deliveries/{id}/replay",
    id: "replayDelivery",
    summary: "Make a delivery again",
    description: `Whatever became of it. ${about}`,
    tenant: "optional",
    params: z.object({
      id: z.string().meta({ description: "The delivery's id", example: deliveryExample.id }),
    }),
    responses: created,
    problems: newProblems,
    async handle({ params, tenant, principal }) {
      const delivery = await find(params.id, tenant);
      if (delivery === undefined) throw new Problem("not-found", "there is no such delivery");
      const { sequence, day } = delivery;
      const endpoint = await store.endpoint(delivery.tenant, delivery.endpoint);
      if (endpoint === undefined) {
        throw new Problem("not-found", "the endpoint of this delivery was removed");
      }
      return reply(
        endpoint,
        await store.create(endpoint, {
          ...{ kind: "all", types: null, since: null, until: null },
          requestedBy: principal.keyId,
          ...{ after: { sequence: sequence - 1, day }, through: sequence },
        }),
        changed,
      );
    },
  });

  async function find(id: string, tenant: Tenant | undefined) {
    const name = parseDeliveryId(id);
    if (name === undefined) return undefined;
    const owner = await ownerOf(name.tenantPrefix, tenant, tenantByPrefix);
    return owner && history.find(owner.id, name);
  }
}

function createReplay({ store, history, marks, log, changed }: Parts): Route {
  return route({
    ...shared,
    method: "post",
    path: "/endpoints/{id}/replays",
    id: "createReplay",
    summary: "Make many of an endpoint's deliveries again",
    description:
      `${about} The range is fixed when it is asked for: what the endpoint has not come to by ` +
      "then is not in it, and is pushed anyway.",
    tenant: "optional",
    params: z.object({
      id: z.string().meta({ description: "The endpoint's id", example: deliveryExample.endpoint }),
    }),
    body: newReplay,
    responses: created,
    problems: [...newProblems, ...cursorProblems],
    async handle({ params, body, tenant, principal }) {
      const endpoint = await find(params.id, tenant);
      const { status: kind, types = null, since = null, until = null } = body;
      const range = await rangeOf(endpoint, body);
      const requestedBy = principal.keyId;
      const wanted = { kind, types, since, until, requestedBy, ...range };
      const made = await store.create(endpoint, wanted);
      return reply(endpoint, made, changed);
    },
  });

  async function find(id: string, tenant: Tenant | undefined): Promise<Replayable> {
    const uuid = endpointUuid(id);
    const known = uuid === undefined ? undefined : await history.endpoint(uuid, tenant?.id);
    if (uuid === undefined || known === undefined) throw unknownEndpoint();
    // Found by an operator, who need not name the tenant.
    if (known.erasing) throw tenantErasing(known.tenantName);
    const endpoint = await store.endpoint(known.tenant, uuid);
    if (endpoint === undefined) throw unknownEndpoint();
    return endpoint;
  }

  async function rangeOf(
    { tenant, reached }: Replayable,
    { since, until, from, through }: z.output<typeof newReplay>,
  ) {
    let after: Position = await log.floor(tenant);
    let end = reached;
    if (since !== undefined) after = later(after, await log.positionBefore(tenant, timeOf(since)));
    if (from !== undefined) after = later(after, await startAt(tenant, from));
    if (until !== undefined) {
      end = Math.min(end, (await log.positionBefore(tenant, timeOf(until))).sequence);
    }
    if (through !== undefined) end = Math.min(end, (await markOf(tenant, through)).sequence);
    return { after, through: end };
  }

  function markOf(tenant: TenantId, cursor: string) {
    const start = { kind: "cursor", cursor } as const;
    return marks
      .start(tenant, { start, filter: unfiltered, rebase: true })
      .then(({ mark }) => mark);
  }

  /** Throws for a cursor that a reader could not continue from either. */
  async function startAt(tenant: TenantId, cursor: string): Promise<Position> {
    const start = { kind: "cursor", cursor } as const;
    const { mark, filter } = await marks.start(tenant, { start, filter: unfiltered, rebase: true });
    const read = await marks.firstRead(tenant, mark)(mark, 1, 1);
    if (read.kind !== "events") throw await marks.refusal(tenant, filter, read);
    return mark;
  }
}

function listReplays({ store }: Parts): Route {
  return route({
    ...shared,
    method: "get",
    path: "/replays",
    id: "listReplays",
    summary: "List replays, the newest first",
    description: "Those that are over are kept as long as events are.",
    tenant: "named",
    query: z.object({
      endpoint: z
        .string()
        .optional()
        .meta({ description: "Only those of the endpoint of this id" }),
      status: z.enum(replayStatuses).optional().meta({ description: "Only those that stand so" }),
      ...pageQuery,
    }),
    responses: { 200: pageOf("replays", shownReplay).meta({ id: "ReplayPage" }) },
    problems: ["cursor-invalid"],
    async handle({ query: { endpoint: id, status, limit, cursor }, tenant }) {
      const before = cursor === undefined ? undefined : readListCursor(cursor, listCursorForm);
      const endpoint = id === undefined ? undefined : endpointUuid(id);
      const isKnown = id === undefined || endpoint !== undefined;
      const page = { before, limit: limit + 1 };
      const found = isKnown ? await store.list(tenant.id, { endpoint, status }, page) : [];
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      const next = last === undefined ? (cursor ?? null) : writeListCursor(last.id);
      const body = { replays: shown.map(showReplay), cursor: next, has_more: found.length > limit };
      return { status: 200, body };
    },
  });
}

function routesOfOne({ store, changed }: Parts): Route[] {
  return [
    route({
      ...oneReplay,
      method: "get",
      id: "getReplay",
      summary: "Show a replay",
      responses: { 200: shownReplay },
      handle: async ({ params, tenant }) => {
        return { status: 200, body: showReplay(await find(params.id, tenant)) };
      },
    }),
    route({
      ...oneReplay,
      method: "delete",
      id: "cancelReplay",
      summary: "Cancel a replay",
      description:
        "Nothing more is sent for it; what has been stays sent, and attempts under way are still " +
        "told. It can still be read. One that is over already stays what it is.",
      responses: { 204: { description: "It is not running any more" } },
      handle: async ({ params, tenant }) => {
        const replay = await find(params.id, tenant);
        await store.cancel(replay);
        const endpoint = await store.endpoint(replay.tenant, replay.endpoint);
        if (endpoint !== undefined) changed(endpoint.tenant, endpoint.shard);
        return { status: 204 };
      },
    }),
  ];

  async function find(id: string, tenant: Tenant | undefined): Promise<Replay> {
    const uuid = replayUuid(id);
    const replay = uuid === undefined ? undefined : await store.find(uuid, tenant?.id);
    if (replay === undefined) throw new Problem("not-found", "there is no such replay");
    return replay;
  }
}

function reply({ tenant, shard }: Replayable, replay: Replay, changed: Parts["changed"]) {
  if (replay.status === "running") changed(tenant, shard);
  const shown = showReplay(replay);
  return { status: 202, body: shown, headers: { location: `/replays/${shown.id}` } } as const;
}

function unknownEndpoint(): Problem {
  return new Problem("not-found", "there is no such endpoint");
}

/** Nothing is older than 1970, and Postgres knows no year 0. */
function timeOf(at: number): Date {
  return new Date(Math.max(at, 0));
}

function later(a: Position, b: Position): Position {
  return a.sequence < b.sequence ? b : a;
}
