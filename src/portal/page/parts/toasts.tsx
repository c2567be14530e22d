/** Where toasts are shown, and read aloud. */
import { useSyncExternalStore } from "preact/compat";
import { Button } from "./button.tsx";
import { closeToast, onToasts, shownToasts } from "./toast.ts";

export function Toasts() {
  const toasts = useSyncExternalStore(onToasts, shownToasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, bad }) => (
        <div key={id} class={`toast ${bad ? "bad" : ""}`}>
          <span>{text}</span>
          <Button look="quiet" small label="Close this message" onPress={() => closeToast(id)}>
            ✕
          </Button>
        </div>
      ))}
    </div>
  );
}
