/**
 * The database's clock, moved. The product asks `clock_timestamp()` without naming a schema; here a
 * function of that name is put where it is found first. Sessions that are open before the first
 * move keep the true clock, so move it before anything else is opened.
 */
import postgres from "postgres";

/** Moves the clock on or, with a minus, back: `-10 days`. */
export async function jumpClock(url: string, interval: string): Promise<void> {
  await withClock(url, async (sql) => {
    await sql`update moved_clock set ahead = ahead + ${interval}::interval`;
  });
}

/** It goes on from this moment. */
export async function setClock(url: string, to: Date): Promise<void> {
  await withClock(url, async (sql) => {
    await sql`
      update moved_clock
      set ahead = ${to.toISOString()}::timestamptz - pg_catalog.clock_timestamp()`;
  });
}

/** What the product takes for now. */
export async function readClock(url: string): Promise<Date> {
  return withClock(url, async (sql) => {
    const [row] = await sql<[{ now: Date }]>`select public.clock_timestamp() as now`;
    return row.now;
  });
}

async function withClock<Result>(
  url: string,
  use: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [found] = await sql`select from pg_class where relname = 'moved_clock'`;
    if (found === undefined) await install(sql);
    return await use(sql);
  } finally {
    await sql.end();
  }
}

async function install(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create table moved_clock (ahead interval not null);
    insert into moved_clock values ('0');
    create function public.clock_timestamp() returns timestamptz language sql volatile as $$
      select pg_catalog.clock_timestamp() + (select ahead from public.moved_clock)
    $$;
    do $$ begin
      execute format('alter database %I set search_path = public, pg_catalog', current_database());
    end $$`);
}
