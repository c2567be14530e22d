/** A secret that is shown, to be copied whole. */
import { CopyButton } from "../../parts/button.tsx";

export function SecretText({ secret, what = "the secret" }: { secret: string; what?: string }) {
  return (
    <div class="secret">
      <code>{secret}</code>
      <CopyButton text={secret} what={what} />
    </div>
  );
}
