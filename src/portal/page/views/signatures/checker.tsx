/** A request is pasted, and the page says what is wrong with its signature. Nothing is sent. */
import { useState } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { TextArea, TextField } from "../../parts/field.tsx";
import { Card } from "../../parts/page.tsx";
import { check, parseRequest, type Finding } from "./check.ts";

type Props = {
  text: string;
  onText: (text: string) => void;
  /** Of the endpoint that is chosen, once it was shown. */
  secret: string | undefined;
  onReveal?: () => Promise<void>;
};

const example = `webhook-id: evt_…
webhook-timestamp: 1795435200
webhook-signature: v1,…

{"specversion":"1.0","id":"evt_…", …}`;

export function Checker({ text, onText, secret, onReveal }: Props) {
  const [typed, setTyped] = useState("");
  const [findings, setFindings] = useState<readonly Finding[]>();
  const own = typed.trim() === "" ? (secret ?? "") : typed.trim();
  const change = (set: (value: string) => void) => (value: string) => {
    setFindings(undefined);
    set(value);
  };
  const look = async () => {
    const secrets = own.split(/[\s,]+/).filter((each) => each !== "");
    setFindings(await check(secrets, parseRequest(text), Date.now()));
  };
  return (
    <Card title="Check a request">
      <div class="stack">
        <p>
          Paste what your receiver got. It is checked in this page, by the same code as in the
          client library, and sent nowhere; it is gone when you leave.
        </p>
        <TextArea
          label="Request"
          rows={10}
          value={text}
          onValue={change(onText)}
          placeholder={example}
          hint="Headers, an empty line, the raw body. What curl -v or a proxy prints will do."
        />
        <TextField
          label="Secret or public key"
          mono
          value={typed}
          onValue={change(setTyped)}
          placeholder={secret === undefined ? "whsec_… or whpk_…" : "That of the endpoint above"}
          hint="Several between commas, while one is being rotated."
        />
        <div class="row">
          <Button look="main" onPress={look} disabled={text.trim() === ""}>
            Check
          </Button>
          {secret === undefined && onReveal !== undefined && (
            <Button onPress={onReveal}>Use the endpoint's own</Button>
          )}
        </div>
        <div role="status">{findings !== undefined && <Findings findings={findings} />}</div>
      </div>
    </Card>
  );
}

const outcomes = {
  info: "A receiver accepts this push",
  warn: "The signature is right, but not of now",
  bad: "A receiver refuses this push",
};

function Findings({ findings }: { findings: readonly Finding[] }) {
  const wrong = findings.filter(({ ok }) => !ok);
  const isOnlyAge = wrong.length > 0 && wrong.every(({ isAge }) => isAge === true);
  const look = wrong.length === 0 ? "info" : isOnlyAge ? "warn" : "bad";
  return (
    <div class={`note ${look}`}>
      <h3>{outcomes[look]}</h3>
      <ul class="findings">
        {findings.map(({ ok, text }) => (
          <li key={text}>
            <strong class={ok ? "" : "bad-text"}>{ok ? "Right:" : "Wrong:"}</strong> {text}
          </li>
        ))}
      </ul>
    </div>
  );
}
