/** A text that asks the API for something else: told when the typing has come to a pause. */
import { useEffect, useRef, useState } from "preact/hooks";
import { TextField } from "./field.tsx";

const pauseMs = 400;

export function SlowField(props: {
  label: string;
  value: string;
  onValue: (value: string) => void;
  /** What is wrong with a text, which is then not told. */
  check?: (text: string) => string | undefined;
  placeholder?: string;
  list?: string;
  mono?: boolean;
}) {
  const { label, value, onValue, check, ...rest } = props;
  const [text, setText] = useState(value);
  const error = check?.(text.trim());
  // Other filters may be set during the pause: only the newest knows them.
  const tell = useRef(onValue);
  tell.current = onValue;
  // Another address, another filter: what was typed for the one before is over.
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value || error !== undefined) return undefined;
    const timer = setTimeout(() => tell.current(text.trim()), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return <TextField {...rest} {...{ label, error }} value={text} onValue={setText} />;
}
