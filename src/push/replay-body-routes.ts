/** What the routes of replays take and show. */
import { z } from "zod";
import { endpointName } from "../deliveries/endpoint.ts";
import { replayKinds, replayName, replayStatuses, type Replay } from "../deliveries/replays.ts";
import { instant, timestamp } from "../http/schemas.ts";
import { sequenceText } from "../log/event.ts";
import { typePatternForm } from "../log/filter.ts";
import { deliveryExample } from "./body-routes.ts";

/** As many as a reader may name. */
const typesMax = 200;

/** Cursors of ours stay far below. */
const cursorMaxLength = 1_024;

const cursor = z.string().min(1).max(cursorMaxLength);

export const newReplay = z
  .strictObject({
    status: z.enum(replayKinds).meta({
      description:
        "`dead`: dead letters; `missing`: what was never delivered and will not be, also what the " +
        "endpoint never came to; `all`: whatever was delivered or not",
    }),
    since: instant.optional().meta({ description: "Only events that were appended then or later" }),
    until: instant.optional().meta({ description: "Only events that were appended before" }),
    from: cursor.optional().meta({ description: "Only events after this cursor, of any reader" }),
    through: cursor.optional().meta({ description: "Only events up to this cursor" }),
    types: z
      .array(z.string().regex(typePatternForm, "expected order.created or order.*"))
      .min(1)
      .max(typesMax)
      .optional()
      .meta({ description: "Of what the endpoint wants only these types, exact or `order.*`" }),
  })
  .meta({
    id: "NewReplay",
    example: { status: "dead", since: "2026-11-23T00:00:00.000Z", types: ["order.*"] },
  });

export const replayExample = {
  id: "rpl_019ab1c2d3e47f5a8b6c7d8e9f0a1b2d",
  endpoint: deliveryExample.endpoint,
  deliveries: "dead",
  types: ["order.*"],
  since: "2026-11-23T00:00:00.000Z",
  until: null,
  after: "00000000000000000917",
  through: "00000000000000001042",
  position: "00000000000000001000",
  status: "running",
  waiting_for: null,
  total: null,
  sent: 40,
  failed: 1,
  created_at: "2026-11-23T12:00:00.000Z",
  finished_at: null,
  requested_by: "key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
};

export const shownReplay = z
  .object({
    id: z.string(),
    endpoint: z.string(),
    deliveries: z.enum(replayKinds).meta({ description: "Which it sends" }),
    types: z.array(z.string()).nullable(),
    since: timestamp.nullable(),
    until: timestamp.nullable(),
    after: z.string().meta({ description: "Events after this sequence" }),
    through: z.string().meta({ description: "And up to this one" }),
    position: z.string().meta({ description: "All events up to this sequence are done" }),
    status: z.enum(replayStatuses),
    waiting_for: z.enum(["paused", "polling", "disabled", "circuit"]).nullable().meta({
      description: "What keeps it from going on: the endpoint's status, or its open circuit",
    }),
    total: z.int().nullable().meta({
      description:
        "Deliveries to send, where that is known; when it is completed, `sent` and `failed`",
    }),
    sent: z.int().meta({ description: "Accepted by the receiver" }),
    failed: z.int().meta({ description: "Not accepted; their deliveries tell why" }),
    created_at: timestamp,
    finished_at: timestamp.nullable(),
    requested_by: z
      .string()
      .nullable()
      .meta({ description: "The id of the key that asked for it, where that was kept" }),
  })
  .meta({ id: "Replay", example: replayExample });

export function showReplay(replay: Replay): z.output<typeof shownReplay> {
  const { createdAt, finishedAt, since, until, types } = replay;
  return {
    id: replayName(replay.id),
    endpoint: endpointName(replay.endpoint),
    deliveries: replay.kind,
    types: types && [...types],
    since: timeText(since),
    until: timeText(until),
    after: sequenceText(replay.after),
    through: sequenceText(replay.through),
    position: sequenceText(replay.sequence),
    status: replay.status,
    waiting_for: replay.waitingFor,
    total: replay.total,
    sent: replay.sent,
    failed: replay.failed,
    created_at: new Date(createdAt).toISOString(),
    finished_at: timeText(finishedAt),
    requested_by: replay.requestedBy,
  };
}

function timeText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
