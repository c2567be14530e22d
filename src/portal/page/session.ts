/**
 * The key with which this tab calls the API: out of a portal link, or typed in.
 *
 * A link carries it behind `#`, which no browser sends anywhere. It is taken out of the address
 * before anything else happens, so it stands in no bookmark, no screenshot and nowhere that "back"
 * leads to. What a browser notes of the pages that it has opened we cannot take back: so it is short.
 * It lives as long as the tab: `sessionStorage` is shared with no other tab and outlives a reload.
 */

const storageKey = "tidegate-key";

let current: string | undefined = sessionStorage.getItem(storageKey) ?? undefined;
/** The last key was refused, and nobody has signed in or out since. */
let refused = false;
const listeners = new Set<() => void>();

/**
 * Takes `#token=…` out of the address, if there is one. Also of a link that is opened where the page
 * is already: the browser then only tells that what follows the `#` has changed.
 */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  setKey(token);
}

export function currentKey(): string | undefined {
  return current;
}

/** Undefined signs out. */
export function setKey(key: string | undefined): void {
  change(key, false);
}

/** Signs out for a key that the gateway does not take; one that has come since is another. */
export function refuseKey(key: string | undefined): void {
  if (key !== undefined && key === current) change(undefined, true);
}

export function wasRefused(): boolean {
  return refused;
}

export function onKeyChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(key: string | undefined, isRefused: boolean): void {
  current = key;
  refused = isRefused;
  if (key === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, key);
  for (const listener of listeners) listener();
}
