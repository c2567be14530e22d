/** Buttons, and links that look like them. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { toast } from "./toast.ts";

type Look = {
  look?: "plain" | "main" | "danger" | "quiet";
  small?: boolean;
};

export type ButtonProps = Look & {
  children: ComponentChildren;
  /** While what it returns is under way the button is busy; a failure is shown as a toast. */
  onPress?: () => unknown;
  type?: "button" | "submit";
  disabled?: boolean;
  /** For a button whose words alone do not say it: "Copy" → "Copy the secret". */
  label?: string;
};

export function Button({
  children,
  onPress,
  type = "button",
  disabled,
  label,
  ...look
}: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy || disabled === true) return;
    const done = onPress?.();
    if (!(done instanceof Promise)) return;
    setBusy(true);
    try {
      await done;
    } catch (error) {
      toast.failure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type={type}
      class={classOf(look)}
      // Not `disabled`, which would take the focus away from under somebody's fingers.
      aria-disabled={busy || disabled === true}
      aria-busy={busy}
      aria-label={label}
      onClick={onPress === undefined ? undefined : () => void press()}
    >
      {children}
    </button>
  );
}

export function ButtonLink({
  to,
  children,
  ...look
}: Look & { to: string; children: ComponentChildren }) {
  return (
    <Link href={to} class={classOf(look)}>
      {children}
    </Link>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast.done(`Copied ${what}`);
  };
  return (
    <Button look="quiet" small label={`Copy ${what}`} onPress={copy}>
      Copy
    </Button>
  );
}

function classOf({ look = "plain", small = false }: Look): string {
  return `button ${look} ${small ? "small" : ""}`;
}
