/**
 * The schemas of all event types, in memory: an append is checked without asking the database. It
 * is asked for changes about every second, and only while there are appends; a change elsewhere
 * holds after two seconds at the latest, one in this process or told by a `changed` frame at once.
 */
import { isNotNull, sql as template } from "drizzle-orm";
import { LRUCache } from "lru-cache";
import { arrayText, type Orm } from "../../db/database.ts";
import { eventTypes } from "../../db/schema.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Fault } from "./faults.ts";
import { compileSchema, type CheckData } from "./json-schema.ts";

export type EventTypeRegistry = {
  /** To be awaited before `check`, unless what is in memory is new enough. */
  fresh(): Promise<void> | undefined;
  /** What is wrong with the data of an event of this type; undefined is data that is no JSON. */
  check(type: string, data: unknown): readonly Fault[];
  /** Whoever calls `fresh` from now on is checked against what is newer than this call. */
  forget(): void;
};

/** How old what is in memory may be, counted from before its first statement was sent. */
const ttlMs = 2_000;

/** From this age on it is renewed while appends go on with it, so that none has to wait. */
const renewAfterMs = 1_000;

/**
 * How much is kept compiled, in characters of the schemas. What is compiled takes up to 70 bytes
 * for each, and 25 kB for the smallest schema: so 150 MB at most, where thousands of types are in
 * use. Beyond it the least recently used are compiled again, which takes 2 ms for a small one.
 */
const compiledMaxLength = 2 << 20;
const smallestLength = 512;

type Known = { readonly version: string; readonly schema: string };

type Snapshot = {
  readonly types: ReadonlyMap<string, Known>;
  /** Of all rows; another one after any change. */
  readonly digest: string | undefined;
  /** When it was asked for; what came in later need not be in it. */
  readonly at: number;
};

type Options = { orm: Orm; log: Logger };

export function createEventTypeRegistry({ orm, log }: Options): EventTypeRegistry {
  let snapshot: Snapshot = { types: new Map(), digest: undefined, at: -Infinity };
  const checks = new LRUCache<Known, CheckData>({
    maxSize: compiledMaxLength,
    sizeCalculation: (_, { schema }) => schema.length + smallestLength,
  });
  let forgottenAt = -Infinity;
  let renewing: Promise<void> | undefined;

  return { fresh, check, forget };

  function fresh(): Promise<void> | undefined {
    const age = performance.now() - snapshot.at;
    const isForgotten = snapshot.at <= forgottenAt;
    if (!isForgotten && age < renewAfterMs) return undefined;
    const renewed = (renewing ??= renew());
    if (isForgotten || age >= ttlMs) return renewed;
    // Whoever has to wait for it hears of a failure.
    renewed.catch(() => {});
    return undefined;
  }

  function forget(): void {
    forgottenAt = performance.now();
    // Those who wait for it still do, but nobody else: it may have been asked before the change.
    renewing = undefined;
  }

  function renew(): Promise<void> {
    const own = load().finally(() => {
      if (renewing === own) renewing = undefined;
    });
    return own;
  }

  async function load(): Promise<void> {
    const before = snapshot;
    const at = performance.now();
    const digest = await readDigest(orm);
    const types = digest === before.digest ? before.types : await readTypes(orm, before.types);
    // Of two at once the later one knows more, whichever ends first.
    if (at > snapshot.at) snapshot = { types, digest, at };
  }

  function check(type: string, data: unknown): readonly Fault[] {
    const known = snapshot.types.get(type);
    if (known === undefined) return noFaults;
    if (data === undefined) return noJson;
    let checkData = checks.get(known);
    if (checkData === undefined) checks.set(known, (checkData = compiled(type, known.schema)));
    return checkData(data);
  }

  /** What is registered has been compiled before; only an older gateway can fail here. */
  function compiled(type: string, schema: string): CheckData {
    try {
      return compileSchema(schema);
    } catch (error) {
      log.error({ type, err: error }, "a registered schema does not compile");
      return () => [{ pointer: "/data", detail: "the schema of its type cannot be used here" }];
    }
  }
}

const noFaults: readonly Fault[] = [];

const noJson: readonly Fault[] = [
  { pointer: "/data", detail: "must be JSON: its type has a schema" },
];

const hasSchema = isNotNull(eventTypes.schema);

/** The transaction that wrote a row: unlike a time it tells every change, whatever clocks do. */
const version = template<string>`xmin::text`;

async function readDigest(orm: Orm): Promise<string> {
  const hash = template`hashtextextended(${eventTypes.type} || ' ' || ${version}, 0)`;
  const digest = template<string>`count(*) || ' ' || coalesce(bit_xor(${hash}), 0)`;
  const [row] = await orm.select({ digest }).from(eventTypes).where(hasSchema);
  if (row === undefined) throw new Error("a count returned no row");
  return row.digest;
}

/** Only what changed is read whole. */
async function readTypes(
  orm: Orm,
  before: ReadonlyMap<string, Known>,
): Promise<Map<string, Known>> {
  const versions = await orm
    .select({ type: eventTypes.type, version })
    .from(eventTypes)
    .where(hasSchema);
  const changed = versions.filter((row) => before.get(row.type)?.version !== row.version);
  const read = changed.length === 0 ? new Map<string, Known>() : await readSchemas(orm, changed);
  const types = new Map<string, Known>();
  for (const { type, version } of versions) {
    const known = before.get(type);
    // What is gone by now makes another digest, so the next one to ask finds out.
    const current = known?.version === version ? known : read.get(type);
    if (current !== undefined) types.set(type, current);
  }
  return types;
}

async function readSchemas(
  orm: Orm,
  changed: readonly { type: string }[],
): Promise<Map<string, Known>> {
  const names = arrayText(changed.map(({ type }) => type));
  const rows = await orm
    .select({ type: eventTypes.type, version, schema: eventTypes.schema })
    .from(eventTypes)
    .where(template`${eventTypes.type} = any(${names}::text[])`);
  return new Map(
    rows.flatMap(({ type, version, schema }) =>
      schema === null ? [] : [[type, { version, schema }]],
    ),
  );
}
