/** What people fill in. Each error of a 422 stands at the field whose pointer it names. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { ApiError } from "../api.ts";

type Common = {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
};

type Described = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean };

export function TextField(
  props: Common & {
    value: string;
    onValue: (value: string) => void;
    type?: "text" | "url" | "number" | "password" | "search" | "datetime-local";
    placeholder?: string;
    required?: boolean;
    mono?: boolean;
    list?: string;
  },
) {
  const { value, onValue, type = "text", placeholder, required, mono, list, ...common } = props;
  return (
    <Field {...common}>
      {(described) => (
        <input
          {...described}
          {...{ type, value, placeholder, required, list }}
          class={mono === true ? "mono" : ""}
          autoComplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => onValue(currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function TextArea(
  props: Common & {
    value: string;
    onValue: (value: string) => void;
    rows?: number;
    placeholder?: string;
  },
) {
  const { value, onValue, rows = 5, placeholder, ...common } = props;
  return (
    <Field {...common}>
      {(described) => (
        <textarea
          {...described}
          {...{ value, rows, placeholder }}
          class="mono"
          spellcheck={false}
          onInput={({ currentTarget }) => onValue(currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** Options by their value, in order. */
export function Select(
  props: Common & {
    value: string;
    onValue: (value: string) => void;
    options: readonly (readonly [value: string, text: string])[];
  },
) {
  const { value, onValue, options, ...common } = props;
  return (
    <Field {...common}>
      {(described) => (
        <select
          {...described}
          value={value}
          onChange={({ currentTarget }) => onValue(currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Checkbox(
  props: Omit<Common, "error"> & { checked: boolean; onValue: (checked: boolean) => void },
) {
  const { label, hint, checked, onValue } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id} class="row">
        <input
          id={id}
          type="checkbox"
          checked={checked}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={({ currentTarget }) => onValue(currentTarget.checked)}
        />
        {label}
      </label>
      {hint !== undefined && (
        <span id={`${id}-hint`} class="hint">
          {hint}
        </span>
      )}
    </div>
  );
}

/** A label, what it is for, what is wrong with it, around any control. */
export function Field(props: Common & { children: (described: Described) => JSX.Element }) {
  const { label, hint, error, children } = props;
  const id = useId();
  const describedBy = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
    .filter((part) => part !== false)
    .join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-describedby": describedBy === "" ? undefined : describedBy,
        "aria-invalid": error !== undefined,
      })}
      {hint !== undefined && (
        <span id={`${id}-hint`} class="hint">
          {hint}
        </span>
      )}
      {error !== undefined && (
        <span id={`${id}-error`} class="error">
          {error}
        </span>
      )}
    </div>
  );
}

/** What an answer said about the member with this pointer, `/url`, or anything below it. */
export function errorAt(error: unknown, pointer: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const { errors } = error.problem;
  if (!Array.isArray(errors)) return undefined;
  const found = (errors as { pointer: string; detail: string }[]).find(
    (each) => each.pointer === pointer || each.pointer.startsWith(`${pointer}/`),
  );
  return found?.detail;
}
