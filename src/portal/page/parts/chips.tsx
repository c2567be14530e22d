/**
 * A list of short texts, one chip each. What is typed becomes chips with Enter, with a separator,
 * or when the field is left, so that nothing typed is lost.
 */
import { useId, useState } from "preact/hooks";
import { Field } from "./field.tsx";

export function ChipsField(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  values: readonly string[];
  onValues: (values: readonly string[]) => void;
  suggestions?: readonly string[];
  placeholder?: string;
  /** What ends a chip besides Enter; nothing unless given, as texts may contain anything. */
  separator?: RegExp;
}) {
  const { values, onValues, suggestions = [], placeholder, separator, ...field } = props;
  const [typed, setTyped] = useState("");
  const listId = useId();
  const add = (texts: readonly string[]) => {
    const found = texts.map((text) => text.trim()).filter((text) => text !== "");
    if (found.length > 0) onValues([...new Set([...values, ...found])]);
  };
  const end = () => {
    add([typed]);
    setTyped("");
  };
  const type = (text: string, isPicked: boolean) => {
    const parts = separator === undefined ? [text] : text.split(separator);
    const rest = isPicked && suggestions.includes(text) ? "" : (parts.pop() ?? "");
    add(parts);
    setTyped(rest);
  };
  return (
    <Field {...field}>
      {(described) => (
        <div class="chips">
          {values.map((value) => (
            <Chip
              key={value}
              text={value}
              onRemove={() => onValues(values.filter((each) => each !== value))}
            />
          ))}
          <input
            {...described}
            value={typed}
            placeholder={values.length === 0 ? placeholder : ""}
            list={suggestions.length > 0 ? listId : undefined}
            autoComplete="off"
            spellcheck={false}
            onInput={(event) => type(event.currentTarget.value, isPick(event))}
            onBlur={end}
            onKeyDown={(event) => {
              if (event.key === "Enter") {
                // It ends a chip, and never sends the form around it.
                event.preventDefault();
                end();
              } else if (event.key === "Backspace" && typed === "") onValues(values.slice(0, -1));
            }}
          />
          <datalist id={listId}>
            {suggestions
              .filter((each) => !values.includes(each))
              .map((each) => (
                <option key={each} value={each} />
              ))}
          </datalist>
        </div>
      )}
    </Field>
  );
}

/** Whether a suggestion was chosen: nothing else puts in a whole text that is not typed or pasted. */
function isPick(event: Event): boolean {
  return !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <span class="chip">
      <bdi>{text}</bdi>
      <button type="button" aria-label={`Remove ${text}`} onClick={onRemove}>
        ✕
      </button>
    </span>
  );
}
