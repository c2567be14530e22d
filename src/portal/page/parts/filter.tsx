/** Filters live in the address: a reload shows the same, and so does a link that is passed on. */
import { useEffect, useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { TextField } from "./field.tsx";

/** Typing is followed once it rests; each letter would be a question to the gateway. */
const restMs = 400;

/** A parameter of the address; what equals the fallback is not written there. */
export function useFilter(name: string, fallback = ""): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = (value: string) =>
    setSearch(
      () => {
        // Not what this hook has seen: another filter may have been set just before.
        const after = new URLSearchParams(location.search);
        if (value === fallback) after.delete(name);
        else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  return [search.get(name) ?? fallback, set];
}

/** `fault` says what is wrong with a text, which then is not followed. */
export function FilterText(props: {
  label: string;
  value: string;
  onValue: (value: string) => void;
  placeholder?: string;
  fault?: (text: string) => string | undefined;
}) {
  const { value, onValue, fault, ...field } = props;
  const [typed, setTyped] = useState(value);
  const error = typed === "" ? undefined : fault?.(typed.trim());
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed.trim() === value || error !== undefined) return undefined;
    const timer = setTimeout(onValue, restMs, typed.trim());
    return () => clearTimeout(timer);
  }, [typed]);
  return <TextField {...field} type="search" value={typed} onValue={setTyped} error={error} />;
}

const typeForm = /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*(\.\*)?$/;

/** What is wrong with a filter by types: exact ones, or `order.*`, separated by commas. */
export function typesFault(text: string): string | undefined {
  const wrong = text.split(",").find((type) => !typeForm.test(type.trim()));
  return wrong === undefined
    ? undefined
    : "A type is written order.created, or order.* for all below";
}
