/**
 * Text that strangers wrote: payloads, headers, answers of receivers. It is only ever text, and as
 * it came: numbers keep their digits, and what is huge is shown in part until somebody wants all.
 */
import { useMemo, useState } from "preact/hooks";
import { Button, CopyButton } from "./button.tsx";
import { showBytes } from "./number.ts";

/** In characters: more makes a page slow, and nobody reads it. */
const shownMax = 20_000;

/** Names, strings, numbers and words of JSON; colours beyond this size cost more than they give. */
const token = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;

export function TextBlock(props: { text: string; what: string; isJson?: boolean }) {
  const { text, what, isJson = false } = props;
  const [whole, setWhole] = useState(false);
  const isCut = text.length > shownMax && !whole;
  const shown = isCut ? text.slice(0, shownMax) : text;
  return (
    <div class="stack">
      {/* Can be scrolled by keyboard, and read in its own direction. */}
      <pre class="code" tabIndex={0} aria-label={what} dir="auto">
        <code>{isJson && text.length <= shownMax ? <Coloured text={shown} /> : shown}</code>
      </pre>
      <div class="row">
        <CopyButton text={text} what={what} />
        {isCut && (
          <Button look="quiet" small onPress={() => setWhole(true)}>
            Show all {showBytes(text.length)}
          </Button>
        )}
      </div>
    </div>
  );
}

/**
 * JSON with its numbers as they were written, indented; any other text as it is. With `member`, of
 * an object only what stands under this name.
 */
export function JsonBlock({ text, what, member }: { text: string; what: string; member?: string }) {
  const { shown, isJson } = useMemo(() => indent(text, member), [text, member]);
  return <TextBlock text={shown} {...{ what, isJson }} />;
}

function Coloured({ text }: { text: string }) {
  const parts = useMemo(() => {
    const found = [];
    let end = 0;
    for (const match of text.matchAll(token)) {
      const [all, string, colon] = match;
      found.push(text.slice(end, match.index));
      const kind = string === undefined ? (match[3] === undefined ? "word" : "number") : "string";
      found.push(colon === undefined ? <span class={kind}>{all}</span> : all);
      end = match.index + all.length;
    }
    return [...found, text.slice(end)];
  }, [text]);
  return <>{parts}</>;
}

type RawJson = { rawJSON(text: string): unknown };

function indent(text: string, member: string | undefined) {
  try {
    const exact = (_name: string, value: unknown, context?: { source?: string }) =>
      typeof value === "number" && context?.source !== undefined && "rawJSON" in JSON
        ? (JSON as unknown as RawJson).rawJSON(context.source)
        : value;
    const value: unknown = JSON.parse(text, exact);
    const part = member === undefined ? value : (value as Record<string, unknown>)[member];
    return { shown: JSON.stringify(part, null, 2), isJson: true };
  } catch {
    return { shown: text, isJson: false }; // Which is nothing wrong here.
  }
}
