/**
 * A consumer as it would be written: `createInbox` over its own Postgres behind a port. What it does
 * with an event is a row, written in the inbox's transaction.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import postgres, { type TransactionSql } from "postgres";
import { toNodeHandler } from "../../src/client/adapters.ts";
import { createInbox, type Inbox } from "../../src/client/inbox.ts";
import type { InboxCounts } from "../../src/client/inbox/handling.ts";
import { postgresStore } from "../../src/client/postgres.ts";
import { serve } from "./serve.ts";

export type InboxReceiverOperations = typeof operations;

export type InboxReceiverOptions = {
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly key: string;
  readonly endpoint: string;
  readonly secret: string;
  /** 0 is a free one. */
  readonly port: number;
};

export type ToldErrors = Readonly<Record<string, number>>;

const connections = 6;

let inbox: Inbox | undefined;
const errors = new Map<string, number>();
const operations = { reserve, open, tell };
serve(operations);

/** A port that nobody has, to listen on later. */
async function reserve(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function open(options: InboxReceiverOptions): Promise<void> {
  const { databaseUrl, gatewayUrl, key, endpoint, secret, port } = options;
  const sql = postgres(databaseUrl, { max: connections, onnotice: () => {} });
  inbox = createInbox<TransactionSql>({
    secret,
    feed: { url: gatewayUrl, key, endpoint },
    store: postgresStore(sql),
    ordered: true,
    async handle(event, transaction, { by }) {
      await transaction`
        insert into effects (sequence, event, came_by)
        values (${Number(event.sequence)}, ${event.id}, ${by})`;
    },
    onError(error, { during }) {
      const text = `${during}: ${String(error)}`;
      errors.set(text, (errors.get(text) ?? 0) + 1);
    },
  });
  inbox.start();
  const server = createServer(toNodeHandler(inbox)).listen(port, "127.0.0.1");
  await once(server, "listening");
}

async function tell(): Promise<{ counts: InboxCounts | undefined; errors: ToldErrors }> {
  return { counts: inbox && { ...inbox.counts }, errors: Object.fromEntries(errors) };
}
