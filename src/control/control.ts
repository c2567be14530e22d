/** Puts control together: the directory that every request asks, and the routes that change it. */
import type { Database } from "../db/database.ts";
import type { Fence } from "../deliveries/ledger.ts";
import { disable } from "../deliveries/positions.ts";
import { createMarks } from "../feed/marks.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Route } from "../http/route.ts";
import type { KeyRing } from "../keyring.ts";
import type { Cursors } from "../log/cursor.ts";
import { createLog } from "../log/log.ts";
import { createConsumerRoutes } from "./consumers/routes.ts";
import { createDirectory, type Change, type ControlDirectory } from "./directory.ts";
import type { TestPush } from "./endpoints/actions.ts";
import type { CheckUrl } from "./endpoints/endpoints.ts";
import { createEndpointRoutes } from "./endpoints/routes.ts";
import { createEventTypeRoutes } from "./event-types/routes.ts";
import { ensureOperatorKey } from "./keys/keys.ts";
import { createKeyRoutes } from "./keys/routes.ts";
import { createPortalLinkRoutes } from "./portal-links/routes.ts";
import { createLimitsRoutes } from "./tenants/limits-routes.ts";
import { createOperationalRoutes } from "./tenants/operational-routes.ts";
import { createTenantRoutes } from "./tenants/routes.ts";
import { createTicketRoutes } from "./tickets/routes.ts";

export type Control = {
  /** Tell it of the `changed` frames of other processes. */
  readonly directory: ControlDirectory;
  readonly routes: readonly Route[];
  /**
   * Stops pushing to an endpoint for what its receiver answered, unless it was changed meanwhile or
   * is driven by another process: false then. `process` is who drove it, and `fence` what under.
   */
  disableEndpoint(process: string, fence: Fence, reason: string): Promise<boolean>;
};

export type ControlOptions = {
  readonly database: Database;
  readonly ring: KeyRing;
  readonly cursors: Cursors;
  /** As many as the database was set up with. */
  readonly shards: number;
  readonly retentionDays: number;
  /** Undefined: where a request comes to. */
  readonly publicUrl?: string | undefined;
  readonly checkUrl: CheckUrl;
  readonly testPush: TestPush;
  readonly limiter: Pick<RateLimiter, "use">;
  /** Tells the other processes; called after the commit. */
  readonly announce: (change: Change) => void;
};

/** Makes the configured operator key valid first, so that the first request can use it. */
export async function createControl(
  options: ControlOptions & { readonly operatorKey: string },
): Promise<Control> {
  await ensureOperatorKey(options.database.orm, options.operatorKey);
  const { database, announce } = options;
  const directory = createDirectory(database);

  return {
    directory,
    routes: createControlRoutes({ ...options, announce: changed }),
    disableEndpoint,
  };

  function changed(change: Change): void {
    directory.forget(change.what);
    announce(change);
  }

  async function disableEndpoint(process: string, fence: Fence, reason: string): Promise<boolean> {
    const { tenant, shard } = fence;
    const disabled = await disable(database.sql, { ...fence, process, reason });
    if (disabled) announce({ what: "endpoints", tenant, shard });
    return disabled;
  }
}

/** Touches nothing before a request comes, so that the document can be made without a database. */
export function createControlRoutes(options: ControlOptions): Route[] {
  const { database, announce: changed } = options;
  const marks = createMarks({ log: createLog(database.sql), cursors: options.cursors });
  return [
    ...createTenantRoutes({ orm: database.orm, shards: options.shards, changed }),
    ...createLimitsRoutes({ orm: database.orm, limiter: options.limiter }),
    ...createOperationalRoutes({ orm: database.orm, shards: options.shards }),
    ...createKeyRoutes({ orm: database.orm, changed }),
    ...createPortalLinkRoutes({ orm: database.orm, publicUrl: options.publicUrl }),
    ...createTicketRoutes(database),
    ...createEndpointRoutes({ ...options, marks, changed }),
    ...createConsumerRoutes({ ...options, marks }),
    ...createEventTypeRoutes({ orm: database.orm, changed }),
  ];
}
