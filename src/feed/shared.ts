/**
 * Calls that many make at once for the same: clients that come back together, or that one event
 * has answered, stand at one place and ask for what follows it. They share a call that began after
 * each of them asked, so an answer is never older than its question: while one is under way, all
 * that come wait for the next.
 */
export function createShared<T>() {
  const underWay = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  return ask;

  /** `key` tells apart what is asked for; of those who share a call, that of one is made. */
  function ask(key: string, call: () => Promise<T>): Promise<T> {
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const before = underWay.get(key);
    if (before === undefined) return begin(key, call);
    const begun = async () => {
      await before.catch(() => {}); // those who made it are told
      next.delete(key);
      return await begin(key, call);
    };
    const after = begun();
    next.set(key, after);
    return after;
  }

  function begin(key: string, call: () => Promise<T>): Promise<T> {
    const made = call().finally(() => underWay.delete(key));
    underWay.set(key, made);
    return made;
  }
}
