/** What receipts cost and leave behind, whoever sends how many of them, and whenever that ends. */
import { describe, expect, test } from "vitest";
import type { Sql } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createReceiptLedger } from "../../src/deliveries/receipt-ledger.ts";
import { dayNumbered, type TenantId } from "../../src/log/event.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, repeated, sequencesOf, upTo } from "../support/pushes.ts";
import { deadlineMs, receiptsOf } from "../support/receipts.ts";

const suite = openPushSuite();
const { pushTo } = suite;
const { send, standing, when } = receiptsOf(() => suite.client);

async function cursorThrough(tenant: string, last: number): Promise<string> {
  return (await suite.client.page(tenant, { limit: String(last) })).cursor;
}

/** As by a process that ended right after it had moved the position. */
async function onlyMove(id: string, through: number): Promise<void> {
  await suite.sql`
    select settle_through(tenant, consumer, generation, ${through}, day, ${through}, null)
    from positions where consumer = ${endpointUuid(id) ?? ""}`;
}

/** As if all receipts had come so much earlier. */
async function age(id: string): Promise<void> {
  await suite.sql`
    update receipt_ranges set at = at - interval '2 minutes'
    where endpoint = ${endpointUuid(id) ?? ""}`;
}

test("receipts with another detail each time leave a row for each minute", async () => {
  const { tenant, id } = await pushTo();
  await suite.client.act(id, "pause");
  await appendMany(suite.client, tenant, repeated("a", 12));
  const confirm = async (through: number, detail: string) =>
    send(id, { through: await cursorThrough(tenant, through), status: "processed", detail });
  const ranges = () => suite.sql`
    select after, through, detail from receipt_ranges
    where endpoint = ${endpointUuid(id) ?? ""} order by through`;
  for (const through of upTo(5)) await confirm(through, `page ${through}`);
  expect(await ranges()).toEqual([
    { after: 0, through: 1, detail: "page 1" },
    { after: 1, through: 5, detail: "page 5" },
  ]);
  await age(id);
  for (const through of upTo(9, 6)) await confirm(through, "the same");
  expect((await ranges()).slice(2)).toEqual([{ after: 5, through: 9, detail: "the same" }]);
  // Of what went on for a while the detail is not taken away.
  await confirm(10, "another");
  await confirm(11, "a third");
  expect((await ranges()).slice(2)).toEqual([
    { after: 5, through: 9, detail: "the same" },
    { after: 9, through: 11, detail: "a third" },
  ]);
});

describe("dead letters that whoever took a receipt did not come to settle", () => {
  test("are settled with the next receipt", async () => {
    const refusing = { kind: "answer", status: 422 } as const;
    const { tenant, id } = await pushTo(refusing, { retry_schedule: [] });
    await appendMany(suite.client, tenant, repeated("a", 6));
    await when(id, ({ dead }) => dead?.length === 6);
    await onlyMove(id, 4);
    await age(id);
    expect(await standing(id)).toEqual({ dead: upTo(6) });
    const through = await cursorThrough(tenant, 5);
    expect(await send(id, { through, status: "processed" })).toMatchObject({ settled: 5 });
    expect(await standing(id)).toEqual({ settled: upTo(5), dead: [6] });
  });

  test("are not tried again after an outage", { timeout: 60_000 }, async () => {
    const down = { kind: "answer", status: 503 } as const;
    const { tenant, receiver, id } = await pushTo(down, { retry_schedule: [] });
    await appendMany(suite.client, tenant, repeated("a", 8));
    await suite.client.endpointWhen(
      id,
      ({ circuit, dead }) => circuit.state !== "closed" && dead >= 7,
      deadlineMs,
    );
    await onlyMove(id, 4);
    receiver.behave({ kind: "answer" });
    await when(id, ({ delivered, dead }) => delivered?.length === 4 && dead?.length === 4);
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0 });
    expect(sequencesOf(receiver.requests.slice(-4))).toEqual([5, 6, 7, 8]);
    const through = await cursorThrough(tenant, 4);
    expect(await send(id, { through, status: "processed" })).toMatchObject({ settled: 4 });
    expect(await standing(id)).toEqual({ settled: upTo(4), delivered: [5, 6, 7, 8] });
  });
});

/** Counts the statements. */
function countingSql() {
  let statements = 0;
  const sql: Sql = new Proxy(suite.sql, {
    apply(target, of, values) {
      statements += 1;
      return Reflect.apply(target, of, values) as unknown;
    },
  });
  return { sql, statements: () => statements };
}

test("a receipt looks at nothing again that those before it have settled", async () => {
  const { tenant, id } = await pushTo();
  await suite.client.act(id, "pause");
  await appendMany(suite.client, tenant, ["a"]);
  const uuid = endpointUuid(id) ?? "";
  // More than one step takes, in one range.
  await suite.sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, first_attempt_at,
      last_attempt_at, queue_ms, latency_ms, receipt_status, receipt_at)
    select p.tenant, p.consumer, h.day, n, case n when 5002 then 'dead' else 'settled' end, 0,
      now(), now(), 0, 0, 'processed', now()
    from positions p join heads h on h.tenant = p.tenant, generate_series(1, 5002) n
    where p.consumer = ${uuid}`;
  await onlyMove(id, 5_001);
  await onlyMove(id, 5_002);
  const [row] = await suite.sql<{ tenant: TenantId }[]>`
    select tenant from positions where consumer = ${uuid}`;
  const of = { tenant: row?.tenant ?? ("" as TenantId), consumer: uuid };
  const { sql, statements } = countingSql();
  const given = { to: 5_002, confirmed: 5_001, detail: null };
  expect(await createReceiptLedger(sql).sweep(of, given)).toBe(1);
  // Where it begins, and a step of either table.
  expect(statements()).toBe(3);
});

test("ids of days that somebody made up cost no statement each", async () => {
  const { tenant: name } = await pushTo();
  const [id = ""] = await appendMany(suite.client, name, ["a"]);
  const [row] = await suite.sql<{ tenant: TenantId; day: string }[]>`
    select h.tenant, h.day::text from heads h join tenants t on t.id = h.tenant
    where t.name = ${name}`;
  const { sql, statements } = countingSql();
  const made = upTo(999).map((n) => {
    return [`made up ${n}`, { day: dayNumbered(n), sequence: 1 }] as const;
  });
  const ids = new Map([...made, [id, { day: row?.day ?? "", sequence: 1 }]]);
  const found = await createReceiptLedger(sql).named(row?.tenant ?? ("" as TenantId), ids);
  expect([...found.keys()]).toEqual([id]);
  expect(statements()).toBe(2);
});
