/**
 * A webhook receiver: an HTTP server on a free loopback port that verifies every request with
 * `standardwebhooks`, a library that knows nothing of Tidegate. The flaky one answers a third of
 * its requests with 500 and leaves a few without any answer; only what it answers 200 is taken.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { chance } from "./chance.ts";
import type { Arrived, Ledger } from "./ledger.ts";

export type Receiver = {
  readonly url: string;
  /** The secret that its endpoint was created with; nothing is pushed before. */
  trust(secret: string): void;
  stop(): Promise<void>;
};

export type Answer = "take" | "refuse" | "hang";

const refusedShare = 1 / 3;
const hungShare = 1 / 100;

export async function startReceiver(options: {
  consumer: "steady" | "flaky";
  tenant: string;
  ledger: Ledger;
  seed: number;
}): Promise<Receiver> {
  const { consumer, tenant, ledger, seed } = options;
  const { counts } = ledger;
  let webhook: Webhook | undefined;

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy()); // cut off while its body came
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/github`,
    trust: (secret) => {
      webhook = new Webhook(secret);
    },
    stop,
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = request.headers as Record<string, string>;
    const attempt = Number(headers["tidegate-attempt"]);
    if (attempt > 1) counts.retried += 1;
    if (!verify(body, headers)) return answer(response, 401);
    const arrived = ledger.inspect(consumer, tenant, body);
    if (arrived === undefined) return answer(response, 422);
    checkHeaders(arrived, headers);

    const { sequence } = arrived;
    const choice = consumer === "flaky" ? chooseAnswer(seed, tenant, sequence, attempt) : "take";
    switch (choice) {
      case "take":
        ledger.take(consumer, tenant, sequence);
        return answer(response, 200);
      case "refuse":
        counts.refused += 1;
        return answer(response, 500);
      case "hang":
        counts.hung += 1; // until the gateway has had enough
        return;
    }
  }

  function verify(body: string, headers: Record<string, string>): boolean {
    try {
      webhook?.verify(body, headers, { jsonParse: false });
      counts.signatures += 1;
      return webhook !== undefined;
    } catch (error) {
      ledger.fault(`${consumer} of ${tenant}: ${String(error)}`);
      return false;
    }
  }

  /** What lets a receiver find out by itself whether it has missed something. */
  function checkHeaders({ id, sequence }: Arrived, headers: Record<string, string>): void {
    const dense =
      headers["webhook-id"] === id &&
      Number(headers["tidegate-sequence"]) === sequence &&
      Number(headers["tidegate-previous-sequence"]) === sequence - 1;
    if (!dense) ledger.fault(`${consumer} of ${tenant}: event ${sequence} has wrong headers`);
  }

  async function stop(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

/** The same for the same attempt at the same event, in whichever order they come. */
export function chooseAnswer(
  seed: number,
  tenant: string,
  sequence: number,
  attempt: number,
): Answer {
  const drawn = chance(seed, "answer", tenant, sequence, attempt);
  if (drawn < refusedShare) return "refuse";
  return drawn < refusedShare + hungShare ? "hang" : "take";
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
