/**
 * 10 endpoints that are well, beside very many that accept and never answer, each of a tenant of
 * its own: how long the events of the 10 take, against turns in which nothing hangs and the same is
 * appended. Those turns stand in the column of the bare operation. `npm run trial -- hung` has more
 * of it.
 */
import { figureOf, quantile, type Figure } from "../measure.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { createClient, type Client } from "../trials/client.ts";
import { crowdOfMany, healthyPerSecond, openHanging } from "../trials/hanging.ts";
import { ratioTarget, type HealthyTurn } from "../trials/healthy.ts";
import { quantileFigures } from "./quantiles.ts";
import type { Row } from "./row.ts";

/** Shorter than in the trial, since each turn has to see them end. */
const timeoutMs = 2_000;
const trickleSeconds = 2;

/** Making 2,000 endpoints for a turn takes longer than the turn. */
export const isolationRows: readonly Row[] = [
  isolationRow(100, { seconds: 2 }),
  isolationRow(2_000, { seconds: 2, rounds: 0.6 }),
];

function isolationRow(size: number, effort: NonNullable<Row["effort"]>): Row {
  const crowd = crowdOfMany(size);
  return {
    name: `isolation-${size}`,
    what: `10 healthy endpoints, ${healthyPerSecond} events/s, beside ${crowd.name} that hang`,
    effort,
    async measure(rig, turns) {
      let attempts = 0;
      const clients: Client[] = [];
      const taken = await takeTurns(rig, turns, {
        async prepare({ gateway, operatorKey: key }) {
          const client = createClient(gateway.url, key);
          clients.push(client);
          const place = { startWorker: rig.startWorker, key };
          const hanging = await openHanging(place, {
            ...{ gatewayUrl: gateway.url, client, trickleSeconds, timeoutMs },
          });
          await hanging.createTenants([crowd]);
          return hanging;
        },
        async turn({ prepared: hanging, seconds, begin }) {
          const without = await hanging.without(crowd, seconds);
          const { turn, ...beside } = await hanging.beside(crowd, seconds, begin);
          if (beside.attempts === 0) throw new Error("none of those that hang was attempted");
          attempts += beside.attempts;
          return { ...turn, without, events: turn.latencies.length, after: beside.remove };
        },
      });
      for (const client of clients) await client.close();
      const beside = { ...taken, bare: taken.gateway.map(({ without }) => without) };
      return {
        figures: [...quantileFigures(beside, { p99: atMostTimes }), appends(beside)],
        costs: costsOf(taken),
        notes: [
          "bare: the same gateway, beside nothing that hangs",
          `${attempts.toLocaleString("en")} attempts at those that hang in all turns`,
        ],
      };
    },
  };
}

function atMostTimes({ ratio }: Figure) {
  const met = ratio === undefined ? undefined : ratio.median <= ratioTarget;
  return { text: `≤ ${ratioTarget} × without`, met };
}

/** Of this until the append was answered. */
function appends(taken: Parameters<typeof figureOf<HealthyTurn, HealthyTurn>>[0]): Figure {
  const of = ({ waits }: HealthyTurn) => quantile(waits, 0.99);
  return figureOf(taken, { name: "p99 of appends", unit: "ms", of, bare: of });
}
