/** Whether the process is alive, and whether it can serve. */
import { z } from "zod";
import { route, type Route } from "./route.ts";
import { timestamp } from "./schemas.ts";

/** What is not as it should be. */
export type Degraded = {
  readonly component: string;
  /** In a word. */
  readonly state: string;
  /** Milliseconds since 1970: when it came into this state, or was first seen in it. */
  readonly since: number;
  /** What that means, for people. */
  readonly detail: string;
};

export type Readiness = {
  readonly ready: boolean;
  /** It is being stopped and takes no new work. */
  readonly draining: boolean;
  /** What the process depends on, by name: `up`, or in a word what is wrong with it. */
  readonly components: Readonly<Record<string, string>>;
  readonly degraded: readonly Degraded[];
};

export const shownReadiness = z
  .object({
    status: z.enum(["ready", "degraded", "unavailable", "draining"]),
    components: z.record(z.string(), z.string()),
    degraded: z
      .array(
        z.object({
          component: z.string(),
          state: z.string(),
          since: timestamp.meta({ description: "When this process noticed" }),
          detail: z.string(),
        }),
      )
      .meta({ description: "The components that are not `up`, and since when" }),
  })
  .meta({
    id: "Readiness",
    example: {
      status: "degraded",
      components: { database: "up", fanout: "reconnecting" },
      degraded: [
        {
          ...{ component: "fanout", state: "reconnecting", since: "2026-11-23T12:00:00.000Z" },
          detail: "what other processes append arrives here about a second later",
        },
      ],
    },
  });

export function createHealthRoutes(check: () => Promise<Readiness>): Route[] {
  const shared = { method: "get", tag: "system", access: "public" } as const;
  return [
    route({
      ...shared,
      path: "/healthz",
      id: "getHealth",
      summary: "Whether the process is alive",
      responses: {
        200: z.object({ status: z.literal("alive") }).meta({ example: { status: "alive" } }),
      },
      handle: () => ({ status: 200, body: { status: "alive" } }),
    }),
    route({
      ...shared,
      path: "/readyz",
      id: "getReadiness",
      summary: "Whether the process can serve",
      description:
        "What is degraded is named without failing the check: delivery goes on. 503 without the " +
        "database, and while the process drains.",
      responses: { 200: shownReadiness, 503: shownReadiness },
      async handle() {
        const body = showReadiness(await check());
        const isServing = body.status === "ready" || body.status === "degraded";
        return isServing ? { status: 200, body } : { status: 503, body };
      },
    }),
  ];
}

export function showReadiness({
  ready,
  draining,
  components,
  degraded,
}: Readiness): z.output<typeof shownReadiness> {
  const since = (at: number) => new Date(at).toISOString();
  const shown = degraded.map((each) => ({ ...each, since: since(each.since) }));
  const given = { components: { ...components }, degraded: shown };
  if (draining) return { status: "draining", ...given };
  if (!ready) return { status: "unavailable", ...given };
  return { status: degraded.length === 0 ? "ready" : "degraded", ...given };
}
