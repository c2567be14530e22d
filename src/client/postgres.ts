/**
 * A store in the consumer's own Postgres: `handle` gets the transaction in which its event is
 * recorded, and what it writes through that happens exactly once. Takes what `postgres` (postgres.js)
 * or `pg` (a pool) opened, and imports neither. Any number of processes may share it.
 *
 * It keeps two tables, made at the first use unless they are there: `tidegate_inboxes` with a row
 * for each inbox, `tidegate_inbox_events` with a short run of records. It writes through no session
 * state, so a transaction pooler may stand between.
 */
import {
  recordsShown,
  replaysKept,
  verdictAt,
  type Entry,
  type HandledEvent,
  type InboxStore,
  type OnceResult,
  type Position,
} from "./inbox/store.ts";

/** What is used of postgres.js. */
export type PostgresJs<Transaction> = {
  begin(
    options: string,
    work: (transaction: Transaction) => Promise<unknown>,
  ): PromiseLike<unknown>;
};

/** What is used of a pool of `pg`. */
export type PgPool<Client> = { connect(): Promise<Client> };

type Row = Readonly<Record<string, unknown>>;
type Query = (text: string, parameters: readonly (string | number | null)[]) => Promise<Row[]>;
type Run = <T>(work: (query: Query, transaction: unknown) => Promise<T>) => Promise<T>;

/** Made for whoever makes tables by migrations. */
export const postgresTables = `
create table if not exists tidegate_inboxes (
  inbox text primary key,
  sequence bigint not null,
  cursor text
);
create table if not exists tidegate_inbox_events (
  inbox text not null,
  id text not null,
  sequence bigint not null,
  previous bigint not null,
  cursor text,
  primary key (inbox, id)
);
create index if not exists tidegate_inbox_events_sequence
  on tidegate_inbox_events (inbox, sequence);
`;

/** Of processes that make the tables at the same time; any number that nobody else uses. */
const tablesLock = 7_433_101;

export function postgresStore<Transaction>(sql: PostgresJs<Transaction>): InboxStore<Transaction>;
export function postgresStore<Client>(pool: PgPool<Client>): InboxStore<Client>;
export function postgresStore<Transaction>(
  sql: PostgresJs<Transaction> | PgPool<Transaction>,
): InboxStore<Transaction> {
  const run: Run = "begin" in sql ? withPostgresJs(sql) : withPool(sql);
  let making: Promise<void> | undefined;

  return {
    async open(inbox, first) {
      await makeTables();
      return await run(async (query) => {
        if (first !== undefined) await insertInbox(query, inbox, first);
        const [row] = await query(
          `select sequence, cursor from tidegate_inboxes where inbox = $1`,
          [inbox],
        );
        if (row === undefined) return undefined;
        const position = positionIn(row);
        const rows = await query(
          `select id, sequence, previous, cursor from tidegate_inbox_events
           where inbox = $1 and sequence > $2 and previous < sequence
           order by sequence limit ${recordsShown}`,
          [inbox, position.sequence],
        );
        return { position, handled: rows.map(recordIn) };
      });
    },

    async once(inbox, entry, work) {
      await makeTables();
      return await run(async (query, transaction) => {
        const act = () => work(transaction as Transaction);
        return entry.as === "next"
          ? await onceNext(query, inbox, entry, act)
          : await onceAnywhere(query, inbox, entry, act);
      });
    },

    async settle(inbox, position, forget) {
      await run(async (query) => {
        await move(query, inbox, position);
        await query(`delete from tidegate_inbox_events where inbox = $1 and sequence <= $2`, [
          ...[inbox, forget],
        ]);
      });
    },
  };

  /** Asked first: who may not make tables may still use them. */
  async function makeTables(): Promise<void> {
    making ??= run(async (query) => {
      const [found] = await query(
        `select to_regclass('tidegate_inboxes') is not null
            and to_regclass('tidegate_inbox_events') is not null as made`,
        [],
      );
      if (found?.["made"] === true) return;
      await query(`select pg_advisory_xact_lock(${tablesLock})`, []);
      for (const statement of postgresTables.split(";")) {
        if (statement.trim() !== "") await query(statement, []);
      }
    });
    try {
      await making;
    } catch (error) {
      making = undefined;
      throw error;
    }
  }
}

/**
 * The row of the inbox is locked to the end of the transaction, so events are handled one after the
 * other over all processes, and whoever waited sees where the one before has come to.
 */
async function onceNext(
  query: Query,
  inbox: string,
  entry: Entry,
  act: () => Promise<void>,
): Promise<OnceResult> {
  const { sequence, cursor } = entry;
  const position = await positionOf(query, inbox, "for update");
  const verdict = verdictAt(entry, position);
  if (verdict === "hole") return { kind: "hole", position };
  if (verdict === "passed") return await passed(query, inbox, entry, position);
  const isNew = await record(query, inbox, entry);
  if (isNew) {
    await recordReplay(query, inbox, entry);
    await act();
  }
  await move(query, inbox, { sequence, cursor });
  const moved = { sequence, cursor: cursor ?? position.cursor };
  return { kind: isNew ? "handled" : "duplicate", position: moved };
}

/**
 * Making the record waits for another transaction that makes it, and finds it when that has
 * committed. The position is read after that, in a statement that sees what was committed until
 * then: a record that is missing because it was forgotten is below it.
 */
async function onceAnywhere(
  query: Query,
  inbox: string,
  entry: Entry,
  act: () => Promise<void>,
): Promise<OnceResult> {
  const isNew = await record(query, inbox, entry);
  const position = await positionOf(query, inbox, "");
  if (!isNew) return { kind: "duplicate", position };
  if (verdictAt(entry, position) === "passed") {
    await query(`delete from tidegate_inbox_events where inbox = $1 and id = $2`, [
      ...[inbox, entry.id],
    ]);
    return await passed(query, inbox, entry, position);
  }
  await recordReplay(query, inbox, entry);
  await act();
  // A statement that failed has ended the transaction, also when `handle` took no notice, and its
  // commit would be a rollback without an error. This one fails then.
  return { kind: "handled", position: await positionOf(query, inbox, "") };
}

/** Handled, unless the record of its sequence is another event's. */
async function passed(
  query: Query,
  inbox: string,
  { id, sequence }: Entry,
  position: Position,
): Promise<OnceResult> {
  const rows = await query(
    `select id from tidegate_inbox_events
     where inbox = $1 and sequence = $2 and previous < sequence`,
    [inbox, sequence],
  );
  const isOther = rows.length > 0 && !rows.some((row) => row["id"] === id);
  return { kind: isOther ? "conflict" : "duplicate", position };
}

async function insertInbox(query: Query, inbox: string, { sequence, cursor }: Position) {
  await query(
    `insert into tidegate_inboxes (inbox, sequence, cursor) values ($1, $2, $3)
     on conflict (inbox) do nothing`,
    [inbox, sequence, cursor ?? null],
  );
}

async function positionOf(query: Query, inbox: string, lock: string): Promise<Position> {
  const [row] = await query(
    `select sequence, cursor from tidegate_inboxes where inbox = $1 ${lock}`,
    [inbox],
  );
  if (row === undefined) throw new Error(`the inbox ${inbox} was never opened, or is removed`);
  return positionIn(row);
}

/** False when there is one. */
async function record(query: Query, inbox: string, entry: Entry): Promise<boolean> {
  const { id, sequence, previous, cursor } = entry;
  const rows = await query(
    `insert into tidegate_inbox_events (inbox, id, sequence, previous, cursor)
     values ($1, $2, $3, $4, $5) on conflict (inbox, id) do nothing returning id`,
    [inbox, id, sequence, previous, cursor ?? null],
  );
  return rows.length > 0;
}

async function recordReplay(query: Query, inbox: string, { also, sequence }: Entry) {
  if (also === undefined) return;
  await query(
    `insert into tidegate_inbox_events (inbox, id, sequence, previous)
     values ($1, $2, $3, $3) on conflict (inbox, id) do nothing`,
    [inbox, also, sequence + replaysKept],
  );
}

async function move(query: Query, inbox: string, { sequence, cursor }: Position): Promise<void> {
  await query(
    `update tidegate_inboxes set sequence = $2, cursor = coalesce($3, cursor)
     where inbox = $1 and sequence <= $2`,
    [inbox, sequence, cursor ?? null],
  );
}

function positionIn(row: Row): Position {
  return { sequence: Number(row["sequence"]), cursor: textIn(row, "cursor") };
}

function recordIn(row: Row): HandledEvent {
  return { id: String(row["id"]), previous: Number(row["previous"]), ...positionIn(row) };
}

function textIn(row: Row, name: string): string | undefined {
  const value = row[name];
  return typeof value === "string" ? value : undefined;
}

/** Each statement must see what was committed before it, whatever the connection's default is. */
const isolation = "isolation level read committed";

function withPostgresJs(sql: PostgresJs<unknown>): Run {
  return async (work) => {
    let result: { value: Awaited<ReturnType<typeof work>> } | undefined;
    await sql.begin(isolation, async (transaction) => {
      const { unsafe } = transaction as {
        unsafe(text: string, parameters: readonly unknown[]): Promise<Row[]>;
      };
      const query: Query = async (text, parameters) => [...(await unsafe(text, parameters))];
      result = { value: await work(query, transaction) };
    });
    if (result === undefined) throw new Error("the transaction did not run");
    return result.value;
  };
}

type Client = {
  query(text: string, parameters?: readonly unknown[]): Promise<{ rows: Row[] }>;
  release(error?: Error | boolean): void;
};

function withPool(pool: PgPool<unknown>): Run {
  return async (work) => {
    const client = (await pool.connect()) as Client;
    const query: Query = async (text, parameters) => (await client.query(text, parameters)).rows;
    let isBroken = false;
    try {
      await client.query(`begin ${isolation}`);
      const value = await work(query, client);
      await client.query("commit");
      return value;
    } catch (error) {
      await client.query("rollback").catch(() => {
        isBroken = true;
      });
      throw error;
    } finally {
      // A connection in an unknown state is not given to anybody.
      client.release(isBroken);
    }
  };
}
