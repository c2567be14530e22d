/**
 * The hybrid inbox with Postgres: adds up what each customer has paid, once for every event, however
 * it came. Kill it, lose pushes, run two of it: the totals are right.
 *
 *   SECRET=whsec_… ENDPOINT=ep_… KEY=tg_… DATABASE_URL=postgres://… node inbox.js
 */
import { createServer } from "node:http";
import postgres from "postgres";
import { createInbox, toNodeHandler } from "tidegate/client";
import { postgresStore } from "tidegate/client/postgres";

const { SECRET, ENDPOINT, KEY, DATABASE_URL, PORT = 3000 } = process.env;
const { URL: gateway = "http://127.0.0.1:8080" } = process.env;

const sql = postgres(DATABASE_URL, { onnotice: () => {} });
await sql`create table if not exists totals (customer text primary key, paid bigint not null)`;

const inbox = createInbox({
  secret: SECRET,
  feed: { url: gateway, key: KEY, endpoint: ENDPOINT }, // the key has the scope `receive`
  store: postgresStore(sql),
  ordered: true,
  // In the transaction in which the event is recorded: both are committed, or neither is.
  async handle({ sequence, data: { customer, amount } }, transaction, { by }) {
    await transaction`
      insert into totals values (${customer}, ${amount})
      on conflict (customer) do update set paid = totals.paid + excluded.paid`;
    console.log(Number(sequence), by, customer, amount);
  },
});

inbox.start(); // catches up by pull, and again whenever pushes stay away
createServer(toNodeHandler(inbox)).listen(PORT);
