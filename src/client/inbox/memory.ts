/**
 * A store in the memory of this process, for tests and for receivers whose events may be handled
 * again after a restart. It has no transactions: when `handle` has done something and throws, what
 * it did is done. It forgets everything when the process ends.
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
} from "./store.ts";

type Inbox = {
  position: Position;
  readonly records: Map<string, HandledEvent>;
  /** By what is being handled: an id, or the whole inbox. */
  readonly turns: Map<string, Promise<unknown>>;
};

/** Of an entry that moves the position; no id has it. */
const whole = "";

export function memoryStore(): InboxStore<undefined> {
  const inboxes = new Map<string, Inbox>();

  return {
    async open(name, first) {
      let inbox = inboxes.get(name);
      if (inbox === undefined) {
        if (first === undefined) return undefined;
        inbox = { position: first, records: new Map(), turns: new Map() };
        inboxes.set(name, inbox);
      }
      const { position, records } = inbox;
      const above = [...records.values()].filter(
        ({ sequence, previous }) => sequence > position.sequence && previous < sequence,
      );
      above.sort((one, other) => one.sequence - other.sequence);
      return { position, handled: above.slice(0, recordsShown) };
    },

    async once(name, entry, work) {
      const inbox = inboxOf(name);
      const turn = () => inTurn(inbox, entry.id, () => handle(inbox, entry, work));
      return entry.as === "next" ? await inTurn(inbox, whole, turn) : await turn();
    },

    async settle(name, position, forget) {
      const inbox = inboxOf(name);
      move(inbox, position);
      for (const [id, { sequence }] of inbox.records) {
        if (sequence <= forget) inbox.records.delete(id);
      }
    },
  };

  function inboxOf(name: string): Inbox {
    const inbox = inboxes.get(name);
    if (inbox === undefined) throw new Error(`the inbox ${name} was never opened`);
    return inbox;
  }
}

async function handle(
  inbox: Inbox,
  entry: Entry,
  work: (transaction: undefined) => Promise<void>,
): Promise<OnceResult> {
  const { id, sequence, previous, cursor, also } = entry;
  const verdict = verdictAt(entry, inbox.position);
  if (inbox.records.has(id)) {
    if (entry.as === "next" && verdict === "open") move(inbox, { sequence, cursor });
    return { kind: "duplicate", position: inbox.position };
  }
  if (verdict === "hole") return { kind: "hole", position: inbox.position };
  if (verdict === "passed") {
    const others = [...inbox.records.values()].some(
      (each) => each.sequence === sequence && each.previous < sequence,
    );
    return { kind: others ? "conflict" : "duplicate", position: inbox.position };
  }
  await work(undefined);
  inbox.records.set(id, { id, sequence, previous, cursor });
  if (also !== undefined) {
    const at = sequence + replaysKept;
    inbox.records.set(also, { id: also, sequence: at, previous: at, cursor: undefined });
  }
  if (entry.as === "next") move(inbox, { sequence, cursor });
  return { kind: "handled", position: inbox.position };
}

function move(inbox: Inbox, { sequence, cursor }: Position): void {
  if (sequence < inbox.position.sequence) return;
  inbox.position = { sequence, cursor: cursor ?? inbox.position.cursor };
}

/** One after the other for each key. */
async function inTurn<T>({ turns }: Inbox, key: string, act: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve();
  const own = before.then(act, act);
  turns.set(key, own);
  try {
    return await own;
  } finally {
    if (turns.get(key) === own) turns.delete(key);
  }
}
