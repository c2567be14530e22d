/** Names with values, as many as somebody adds: headers, notes. */
import { useId } from "preact/hooks";
import { Button } from "./button.tsx";

export type Pair = {
  readonly name: string;
  readonly value: string;
  /** It stands in the gateway already: its name stays, and no value means the one that is there. */
  readonly kept?: boolean;
};

export function PairsField(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  pairs: readonly Pair[];
  onPairs: (pairs: readonly Pair[]) => void;
  /** Of one pair: `header`. */
  what: string;
  /** Shown in place of a value that is there but cannot be read. */
  keptText?: string;
}) {
  const { label, hint, error, pairs, onPairs, what, keptText } = props;
  const id = useId();
  const change = (at: number, part: Partial<Pair>) =>
    onPairs(pairs.map((pair, index) => (index === at ? { ...pair, ...part } : pair)));
  return (
    <fieldset class="field pairs" aria-describedby={`${id}-hint`}>
      <legend class="label">{label}</legend>
      {pairs.map(({ name, value, kept = false }, at) => (
        <div key={at} class="pair">
          <input
            aria-label={`Name of ${what} ${at + 1}`}
            value={name}
            placeholder="Name"
            readOnly={kept}
            autoComplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => change(at, { name: currentTarget.value })}
          />
          <input
            aria-label={`Value of ${what} ${name === "" ? at + 1 : name}`}
            value={value}
            placeholder={kept ? (keptText ?? "") : "Value"}
            autoComplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => change(at, { value: currentTarget.value })}
          />
          <Button
            look="quiet"
            label={`Remove ${what} ${name === "" ? at + 1 : name}`}
            onPress={() => onPairs(pairs.filter((_, index) => index !== at))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button small onPress={() => onPairs([...pairs, { name: "", value: "" }])}>
          Add a {what}
        </Button>
      </div>
      <span id={`${id}-hint`}>
        {hint !== undefined && <span class="hint">{hint}</span>}
        {error !== undefined && <span class="error">{error}</span>}
      </span>
    </fieldset>
  );
}
