/** For whoever comes without a link, or whose link is over. */
import { useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { setKey, wasRefused } from "../session.ts";
import icon from "../icon.svg";

export function SignIn() {
  const [key, setTyped] = useState("");
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() !== "") setKey(key.trim());
        }}
      >
        <div class="card-body stack">
          <span class="brand">
            <img src={icon} alt="" /> Tidegate
          </span>
          <h1>Sign in</h1>
          {wasRefused() && (
            <p class="note bad" role="alert">
              The link or key is not valid, or over. What was not saved is not kept.
            </p>
          )}
          <p class="soft">
            Open the portal by the link that your platform gives you. Links end after a while: ask
            for a new one there. Operators sign in with their key.
          </p>
          <TextField
            label="Key"
            type="password"
            value={key}
            onValue={setTyped}
            hint="It is kept in this tab until you close it or sign out."
          />
          <Button look="main" type="submit">
            Sign in
          </Button>
        </div>
      </form>
    </main>
  );
}
