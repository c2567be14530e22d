/** Looking back in the log finds what the filter in memory would have found. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileFilter, unfiltered, type Filter } from "../../src/log/filter.ts";
import type { Position } from "../../src/log/event.ts";
import { createLastMatched, type LastMatched } from "../../src/log/last-matched.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { startControl, type TestControl } from "../support/control.ts";

type Stored = Position & { type: string; subject: string | null };

const types = ["order.created", "order", "order.a.b", "o_der.a", "order_x", "ordering.a"];
const subjects = [null, "s", 'quo"te', "a,b", "back\\slash", "%"];

/** Three days of these: every type comes with every subject. */
const eventsPerDay = 12;

let control: TestControl;
let tenant: Tenant;
let events: Stored[];
let lastMatched: LastMatched;

beforeAll(async () => {
  control = await startControl();
  const { sql } = control.database;
  tenant = await control.tenant("acme");
  lastMatched = createLastMatched(sql);
  await sql`select create_partitions(current_date - 2, current_date)`;
  const days = await sql<{ day: string }[]>`
    select (current_date - back)::text as day from unnest(array[2, 1, 0]) as back`;
  events = days.flatMap(({ day }, nth) =>
    Array.from({ length: eventsPerDay }, (_, index) => {
      const sequence = nth * eventsPerDay + index + 1;
      const type = types[sequence % types.length] ?? "";
      const subject = subjects[Math.floor(sequence / types.length) % subjects.length] ?? null;
      return { sequence, day, type, subject };
    }),
  );
  for (const { sequence, day, type, subject } of events) {
    await sql`insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
      values (${tenant.id}, ${day}, ${sequence}, ${day}, ${type}, ${subject}, '{}')`;
  }
  await sql`insert into log_days (tenant, day, first_sequence, first_at)
    select tenant, day, min(sequence), day from events where tenant = ${tenant.id}
    group by tenant, day`;
});

afterAll(() => control.stop());

const filters: Filter[] = [
  unfiltered,
  { types: ["order.created"], subjects: null },
  { types: ["order.*"], subjects: null },
  { types: ["o_der.*"], subjects: null },
  { types: ["order", "ordering.*"], subjects: null },
  { types: ["never"], subjects: null },
  { types: [], subjects: null },
  { types: null, subjects: ["s", "%"] },
  { types: null, subjects: ['quo"te', "a,b", "back\\slash"] },
  { types: ["order.*", "order_x"], subjects: ["s"] },
];

test.each(filters)("from every position with $types and $subjects", async (filter) => {
  const { matches } = compileFilter(filter);
  for (const at of events) {
    for (const above of [0, at.sequence - 5, at.sequence - 1, at.sequence]) {
      const inReach = (event: Stored) => event.sequence <= at.sequence && event.sequence > above;
      const found = events.findLast((event) => inReach(event) && matches(event));
      const told = await lastMatched(tenant.id, at, filter, Math.max(above, 0));
      expect([at.sequence, above, told]).toEqual([
        at.sequence,
        above,
        found?.sequence ?? Math.max(above, 0),
      ]);
    }
  }
});

test("what retention has let go is not found", async () => {
  const { sql } = control.database;
  const filter = { types: ["order.created"], subjects: null };
  const last = events.at(eventsPerDay - 1);
  if (last === undefined) throw new Error("no events");
  expect(await lastMatched(tenant.id, last, filter)).toBeGreaterThan(0);
  await sql`update log_settings set oldest_day = current_date - 1`;
  expect(await lastMatched(tenant.id, last, filter)).toBe(0);
});

test("an empty log has nothing", async () => {
  const empty = await control.tenant("empty");
  const at = { sequence: 0, day: "1970-01-01" };
  expect(await lastMatched(empty.id, at, unfiltered)).toBe(0);
});
