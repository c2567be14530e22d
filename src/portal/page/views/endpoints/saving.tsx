/** A form that is sent: busy meanwhile, and what was wrong with it kept for its fields. */
import { useState } from "preact/hooks";
import { ApiError } from "../../api.ts";
import { toast } from "../../parts/toast.ts";

export function useSave(send: () => Promise<void>) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await send();
    } catch (failure) {
      setError(failure);
      // What a field shows needs no other message.
      if (!isAtFields(failure)) toast.failure(failure);
    } finally {
      setBusy(false);
    }
  };
  return { save, error, isBusy };
}

/** Beside the button, for whoever does not see the field. */
export function FormError({ error }: { error: unknown }) {
  if (!(error instanceof ApiError)) return null;
  return (
    <p class="bad-text" role="alert">
      {isAtFields(error) ? "Nothing was saved: see the fields marked above." : error.message}
    </p>
  );
}

function isAtFields(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 422 || error.slug.startsWith("cursor-"));
}
