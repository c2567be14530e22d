/** How a process notices that its database is another one than before, and what follows from it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventFingerprint } from "../../src/log/event.ts";
import { noteDatabase } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { newEvent, openTestLog, type TestLog } from "../support/log.ts";

let testLog: TestLog;
let warnings: string[];

beforeEach(async () => {
  testLog = await openTestLog();
  warnings = [];
});

afterEach(() => testLog.stop());

const note = () => {
  const write = (line: string) => void warnings.push(line);
  return noteDatabase(testLog.sql, createLogger({ level: "warn", destination: { write } }));
};

async function noted() {
  const [row] = await testLog.sql<[{ identity: (string | null)[]; restored: string | null }]>`
    select to_json(identity) as identity, restored_at::text as restored from log_settings`;
  return row;
}

test("a database is not restored at the first look, nor as long as it is the same one", async () => {
  for (let look = 0; look < 3; look += 1) await note();
  const { identity, restored } = await noted();
  expect(identity).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^\d+$/)));
  expect(restored).toBeNull();
  expect(warnings).toEqual([]);
});

test.each([
  { what: "cluster", part: 1 },
  { what: "database", part: 2 },
  { what: "timeline", part: 3 },
])("it was restored, once and for good, when the $what is another one", async ({ part }) => {
  const tenant = await testLog.createTenant();
  await testLog.append([1, 2, 3].map((data) => newEvent(tenant, String(data))));
  const events = await testLog.readAll(tenant);
  const last = events.at(-1) ?? expect.fail();
  await note();
  await testLog.sql`delete from events where tenant = ${tenant.id} and sequence > 2`;
  await testLog.sql`update heads set head = 2 where tenant = ${tenant.id}`;
  const ways = [{}, { fingerprint: eventFingerprint(last) }];
  const read = () => Promise.all(ways.map((way) => testLog.log.read(tenant.id, last, 10, way)));
  expect(await read()).toEqual([{ kind: "ahead" }, { kind: "ahead" }]);

  await testLog.sql`update log_settings set identity[${part}::int] = '7'`;
  await Promise.all([note(), note(), note()]);
  expect(warnings).toHaveLength(1);
  expect(await read()).toEqual([{ kind: "reset" }, { kind: "reset" }]);
  const before = await noted();
  await note();
  expect(await noted()).toEqual(before);
});

test("what a role may not ask for, then or now, does not make it another one", async () => {
  await note();
  const { identity } = await noted();
  await testLog.sql`update log_settings set identity = array[null, identity[2], null]`;
  await note();
  expect(await noted()).toEqual({ identity, restored: null });

  await testLog.sql
    .begin(async (transaction) => {
      await transaction`create role of_little_rights`;
      await transaction`revoke execute on function pg_control_system(), pg_control_checkpoint(),
        pg_walfile_name(pg_lsn) from public`;
      await transaction`grant select, update on log_settings to of_little_rights`;
      await transaction`set local role of_little_rights`;
      const [row] = await transaction`select to_json(database_identity()) as identity`;
      expect(row?.["identity"]).toEqual([null, identity[1], null]);
      expect(await transaction`select note_database() as restored`).toEqual([{ restored: false }]);
      const [after] = await transaction`select to_json(identity) as identity from log_settings`;
      expect(after).toEqual({ identity });
      throw new Error("roll back");
    })
    .catch((error: unknown) => expect(String(error)).toBe("Error: roll back"));
});
