/** Whether the process is alive, and whether it can serve. */
import { z } from "zod";
import { route, type Route } from "./route.ts";

/** What the process depends on, by name: `up`, or in a word what is wrong with it. */
export type Readiness = { ready: boolean; components: Record<string, string> };

const readiness = z
  .object({
    status: z.enum(["ready", "degraded", "unavailable"]),
    components: z.record(z.string(), z.string()),
  })
  .meta({
    id: "Readiness",
    example: { status: "degraded", components: { database: "up", fanout: "reconnecting" } },
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
      description: "What is degraded is named without failing the check: delivery goes on.",
      responses: { 200: readiness, 503: readiness },
      async handle() {
        const { ready, components } = await check();
        const whole = Object.values(components).every((state) => state === "up");
        const status = whole ? "ready" : "degraded";
        return ready
          ? { status: 200, body: { status, components } }
          : { status: 503, body: { status: "unavailable", components } };
      },
    }),
  ];
}
