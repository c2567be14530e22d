/**
 * A store in a SQLite database: `handle` gets the database, inside the transaction in which its
 * event is recorded. Takes what `node:sqlite`, `better-sqlite3` or `bun:sqlite` opened, and imports
 * none of them.
 *
 * The connection must be the inbox's own. A transaction stays open while `handle` runs, and whatever
 * else is written through the same connection meanwhile belongs to it. Events are handled one after
 * the other, since SQLite has one writer; several processes may share the file.
 */
import { pause } from "./backoff.ts";
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

type Value = string | number | null;
type Statement = {
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
  run(...values: Value[]): unknown;
};

/** What is used of the database. */
export type SqliteDatabase = {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
};

/** Made for whoever makes tables by migrations. */
export const sqliteTables = `
create table if not exists tidegate_inboxes (
  inbox text primary key,
  sequence integer not null,
  cursor text
);
create table if not exists tidegate_inbox_events (
  inbox text not null,
  id text not null,
  sequence integer not null,
  previous integer not null,
  cursor text,
  primary key (inbox, id)
) without rowid;
create index if not exists tidegate_inbox_events_sequence
  on tidegate_inbox_events (inbox, sequence);
`;

/** Another process may write for as long as its `handle` takes. */
const busyMaxMs = 10_000;
const busyEveryMs = 20;

/** By connection, since two stores may have been made over one. */
const lines = new WeakMap<object, Promise<unknown>>();

export function sqliteStore<Database extends SqliteDatabase>(db: Database): InboxStore<Database> {
  let isMade = false;

  return {
    open: (inbox, first) =>
      transact(async () => {
        if (first !== undefined) {
          prepare(`insert or ignore into tidegate_inboxes values (?, ?, ?)`).run(
            ...[inbox, first.sequence, first.cursor ?? null],
          );
        }
        const position = find(inbox);
        if (position === undefined) return undefined;
        const rows = prepare(
          `select id, sequence, previous, cursor from tidegate_inbox_events
           where inbox = ? and sequence > ? and previous < sequence
           order by sequence limit ${recordsShown}`,
        ).all(inbox, position.sequence);
        return { position, handled: rows.map(recordIn) };
      }),

    once: (inbox, entry, work) => transact(() => once(inbox, entry, () => work(db))),

    settle: (inbox, position, forget) =>
      transact(async () => {
        move(inbox, position);
        prepare(`delete from tidegate_inbox_events where inbox = ? and sequence <= ?`).run(
          ...[inbox, forget],
        );
      }),
  };

  async function once(inbox: string, entry: Entry, act: () => Promise<void>): Promise<OnceResult> {
    const position = find(inbox);
    if (position === undefined) throw new Error(`the inbox ${inbox} was never opened`);
    const { id, sequence, previous, cursor, also } = entry;
    const verdict = verdictAt(entry, position);
    if (isRecorded(inbox, id)) {
      const moves = entry.as === "next" && verdict === "open";
      if (moves) move(inbox, { sequence, cursor });
      return { kind: "duplicate", position: moves ? (find(inbox) ?? position) : position };
    }
    if (verdict === "hole") return { kind: "hole", position };
    if (verdict === "passed") {
      const other = prepare(
        `select id from tidegate_inbox_events
         where inbox = ? and sequence = ? and previous < sequence limit 1`,
      ).get(inbox, sequence);
      return { kind: isRow(other) ? "conflict" : "duplicate", position };
    }
    record(inbox, { id, sequence, previous, cursor });
    if (also !== undefined) {
      const at = sequence + replaysKept;
      record(inbox, { id: also, sequence: at, previous: at, cursor: undefined });
    }
    db.exec("savepoint tidegate_handle");
    await act();
    // Fails when SQLite has ended the transaction for an error that `handle` took no notice of: what
    // is written after that is written at once, and the position must not be.
    db.exec("release tidegate_handle");
    if (entry.as === "next") move(inbox, { sequence, cursor });
    return { kind: "handled", position: find(inbox) ?? position };
  }

  function isRecorded(inbox: string, id: string): boolean {
    const select = `select 1 as found from tidegate_inbox_events where inbox = ? and id = ?`;
    return isRow(prepare(select).get(inbox, id));
  }

  function record(inbox: string, { id, sequence, previous, cursor }: HandledEvent): void {
    prepare(`insert or ignore into tidegate_inbox_events values (?, ?, ?, ?, ?)`).run(
      ...[inbox, id, sequence, previous, cursor ?? null],
    );
  }

  function find(inbox: string): Position | undefined {
    const select = `select sequence, cursor from tidegate_inboxes where inbox = ?`;
    const row = prepare(select).get(inbox);
    return isRow(row) ? positionIn(row) : undefined;
  }

  function move(inbox: string, { sequence, cursor }: Position): void {
    prepare(
      `update tidegate_inboxes set sequence = ?, cursor = coalesce(?, cursor)
       where inbox = ? and sequence <= ?`,
    ).run(sequence, cursor ?? null, inbox, sequence);
  }

  function prepare(text: string): Statement {
    return db.prepare(text);
  }

  /** One transaction after the other on this connection. */
  async function transact<T>(work: () => Promise<T>): Promise<T> {
    const before = lines.get(db) ?? Promise.resolve();
    const own = before.then(() => run(work));
    lines.set(
      db,
      own.catch(() => {}),
    );
    return await own;
  }

  async function run<T>(work: () => Promise<T>): Promise<T> {
    await begin();
    try {
      if (!isMade) db.exec(sqliteTables);
      const value = await work();
      db.exec("commit");
      isMade = true;
      return value;
    } catch (error) {
      try {
        db.exec("rollback");
      } catch {
        // SQLite has rolled back by itself, or the database is closed: the first error tells more.
      }
      throw error;
    }
  }

  /** Writes from the start: a transaction that begins by reading may not be allowed to write. */
  async function begin(): Promise<void> {
    const until = Date.now() + busyMaxMs;
    for (;;) {
      try {
        db.exec("begin immediate");
        return;
      } catch (error) {
        const isBusy = error instanceof Error && /locked|busy/i.test(error.message);
        if (!isBusy || Date.now() > until) throw error;
        await pause(busyEveryMs, undefined);
      }
    }
  }
}

type Row = Readonly<Record<string, unknown>>;

/** What is not found is undefined, or null on Bun. */
function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}

function positionIn(row: Row): Position {
  const { sequence, cursor } = row;
  return { sequence: Number(sequence), cursor: typeof cursor === "string" ? cursor : undefined };
}

function recordIn(row: unknown): HandledEvent {
  const { id, previous, ...rest } = row as Row;
  return { id: String(id), previous: Number(previous), ...positionIn(rest) };
}
