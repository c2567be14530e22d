/**
 * Answers by name from memory for a short while, and asks for everything else in batches: names
 * that are missed while a statement is under way go into the next one together. So a name that
 * many ask for at once is looked up once, and a flood of invented names costs a few statements
 * instead of one each.
 */
import { LRUCache } from "lru-cache";

export type Lookup<Value> = {
  get(name: string): Promise<Value | undefined>;
  /** Whoever asks from now on gets an answer that is newer than this call. */
  forget(): void;
};

/** About 3 MB of keys. Beyond it the least recently used are asked for again. */
const rememberedMax = 10_000;

/** Keeps a statement short when very many names are missed at once. */
const batchMax = 1_000;

/** Two, so that a statement stuck on a dead connection does not lock everyone out. */
const statementsMax = 2;

type Question<Value> = PromiseWithResolvers<Value | undefined>;

export function createLookup<Value extends object>(options: {
  load(names: readonly string[]): Promise<ReadonlyMap<string, Value>>;
  /** How old an answer may be, counted from before its statement was sent. */
  ttlMs: number;
  /** Whether that a name is missing is remembered too. */
  rememberMissing: boolean;
  /** Values for which this is false are asked for each time. */
  mayRemember?: (value: Value) => boolean;
}): Lookup<Value> {
  const { load, ttlMs, rememberMissing, mayRemember = () => true } = options;
  const known = new LRUCache<string, Value>({ max: rememberedMax, ttl: ttlMs });
  // Apart, so that invented names cannot push out what is in use.
  const missing = new LRUCache<string, true>({ max: rememberedMax, ttl: ttlMs });
  const asked = new Map<string, Question<Value>>();
  const waiting: { name: string; question: Question<Value> }[] = [];
  let statements = 0;

  return { get, forget };

  async function get(name: string): Promise<Value | undefined> {
    const value = known.get(name);
    if (value !== undefined || missing.has(name)) return value;
    const question = asked.get(name) ?? ask(name);
    return question.promise;
  }

  function forget(): void {
    known.clear();
    missing.clear();
    // Those who asked before still get their answers, but nobody else does: see `settle`.
    asked.clear();
  }

  function ask(name: string): Question<Value> {
    const question: Question<Value> = Promise.withResolvers();
    asked.set(name, question);
    waiting.push({ name, question });
    if (statements < statementsMax) void work();
    return question;
  }

  async function work(): Promise<void> {
    statements += 1;
    while (waiting.length > 0) await answer(waiting.splice(0, batchMax));
    statements -= 1;
  }

  async function answer(batch: typeof waiting): Promise<void> {
    const start = performance.now();
    try {
      const found = await load(batch.map(({ name }) => name));
      for (const { name, question } of batch) {
        const value = found.get(name);
        if (settle(name, question)) remember(name, value, start);
        question.resolve(value);
      }
    } catch (error) {
      for (const { name, question } of batch) {
        settle(name, question);
        question.reject(error);
      }
    }
  }

  /** False when everything was forgotten since the question was asked: its answer may be old. */
  function settle(name: string, question: Question<Value>): boolean {
    return asked.get(name) === question && asked.delete(name);
  }

  function remember(name: string, value: Value | undefined, start: number): void {
    if (value === undefined) {
      if (rememberMissing) missing.set(name, true, { start });
    } else if (mayRemember(value)) {
      known.set(name, value, { start });
    }
  }
}
