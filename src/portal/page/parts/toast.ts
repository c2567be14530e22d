/** Short messages about what somebody has just done, as toasts.tsx shows them. */

export type Toast = { readonly id: number; readonly text: string; readonly bad: boolean };

const shownMs = 6_000;

/** More would cover the page. */
const shownMax = 3;

let shown: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

export const toast = {
  done: (text: string) => show(text, false),
  /** Stays until it is closed. */
  failure: (error: unknown) => show(error instanceof Error ? error.message : String(error), true),
};

export function shownToasts(): readonly Toast[] {
  return shown;
}

function show(text: string, bad: boolean): void {
  lastId += 1;
  const id = lastId;
  change([...shown, { id, text, bad }].slice(-shownMax));
  if (!bad) setTimeout(closeToast, shownMs, id);
}

export function closeToast(id: number): void {
  change(shown.filter((toast) => toast.id !== id));
}

function change(next: readonly Toast[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

export function onToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
