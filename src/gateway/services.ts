/** What both roles of a process stand on, made from what it has opened. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config.ts";
import { createCounts, type Counts } from "./counts.ts";
import type { Database } from "../db/database.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { connectJetStream } from "../fanout/jetstream.ts";
import { createMemoryFanout } from "../fanout/memory.ts";
import { createFeed, type Feed } from "../feed/feed.ts";
import { createRateLimiter, type RateLimiter } from "../http/rate-limit.ts";
import type { KeyRing } from "../keyring.ts";
import { createCursors, type Cursors } from "../log/cursor.ts";
import { createLog, type Log } from "../log/log.ts";
import { createAttempter, type Attempter } from "../push/attempt.ts";
import { createEgressPolicy, type EgressPolicy } from "../push/egress.ts";
import type { Logger } from "../telemetry/logger.ts";
import { watchHealth, type Health } from "./health.ts";
import type { Tracing } from "../telemetry/tracing.ts";

export type Services = {
  /** Which process this is, as a uuid: where it holds leases, it does so under this. */
  readonly process: string;
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly ring: KeyRing;
  readonly shards: number;
  readonly cursors: Cursors;
  readonly log: Log;
  readonly fanout: Fanout;
  readonly feed: Feed;
  readonly egress: EgressPolicy;
  readonly attempter: Attempter;
  readonly limiter: RateLimiter;
  readonly counts: Counts;
  readonly health: Health;
  /** Undefined: none. */
  readonly tracing: Tracing | undefined;
};

export async function openFanout(config: Config, shards: number, log: Logger): Promise<Fanout> {
  return config.nats === undefined
    ? createMemoryFanout({ log })
    : await connectJetStream({ ...config.nats, shards, log });
}

export function createServices(
  given: Pick<
    Services,
    "config" | "logger" | "database" | "ring" | "shards" | "fanout" | "tracing"
  >,
): Services {
  const { allowAddresses, egressProxy } = given.config;
  const log = createLog(given.database.sql);
  const egress = createEgressPolicy({ allow: allowAddresses });
  return {
    ...given,
    process: randomUUID(),
    log,
    feed: createFeed({ log, fanout: given.fanout, logger: given.logger }),
    cursors: createCursors(given.ring),
    egress,
    attempter: createAttempter({ policy: egress, proxy: egressProxy }),
    limiter: createRateLimiter(),
    counts: createCounts(given.config),
    health: watchHealth(given),
  };
}
