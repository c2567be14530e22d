/**
 * The key with which this tab calls the API: out of a portal link, or typed in.
 *
 * A link carries it behind `#`, which no browser sends anywhere. It is taken out of the address
 * before anything else happens, so it stands in no history entry, no bookmark and no screenshot.
 * It lives as long as the tab: `sessionStorage` is shared with no other tab and outlives a reload.
 */

const storageKey = "tidegate-key";

let current: string | undefined = sessionStorage.getItem(storageKey) ?? undefined;
let refused = false;
const listeners = new Set<() => void>();

/** Takes `#token=…` out of the address, if there is one. */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  setKey(token);
}

export function currentKey(): string | undefined {
  return current;
}

/** Whether the last key was let go because the gateway does not take it, or not any more. */
export function wasRefused(): boolean {
  return refused;
}

/** The gateway does not take the key. */
export function dropKey(): void {
  change(undefined, true);
}

/** Undefined signs out. */
export function setKey(key: string | undefined): void {
  change(key, false);
}

function change(key: string | undefined, isRefused: boolean): void {
  current = key;
  refused = isRefused;
  if (key === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, key);
  for (const listener of listeners) listener();
}

export function onKeyChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
