/**
 * Keeps the text of events as the gateway sent it, beside the objects that the library makes of it:
 * an object written out again would have lost `1.0`, `1e21` and the end of large numbers, and a
 * signature over it would be one over other bytes.
 */
import type { FeedItem } from "../client/feed.ts";
import type { Fetch } from "../client/connection.ts";
import { createSseParser } from "../client/sse.ts";

export type ExactText = {
  /** To be given to a feed, which reads one answer at a time. */
  readonly fetch: Fetch;
  /** The text of an event that the feed has given; each can be asked for once. */
  take(event: FeedItem["event"]): string;
};

export function createExactText(): ExactText {
  /** By id, of the answer that is being read. */
  let texts = new Map<string, string>();

  return {
    async fetch(input, init) {
      const response = await globalThis.fetch(input, init);
      const { status, headers, body } = response;
      if (!response.ok || body === null) return response;
      texts = new Map();
      if (headers.get("content-type")?.startsWith("text/event-stream") === true) {
        return new Response(body.pipeThrough(noteStream()), { status, headers });
      }
      const text = await response.text();
      for (const element of elementsOf(text)) note(element);
      return new Response(text, { status, headers });
    },
    take(event) {
      const text = texts.get(event.id) ?? JSON.stringify(event);
      texts.delete(event.id);
      return text;
    },
  };

  function note(text: string): void {
    const { id } = JSON.parse(text) as { id: string };
    texts.set(id, text);
  }

  function noteStream(): TransformStream<Uint8Array, Uint8Array> {
    const decoder = new TextDecoder();
    const parse = createSseParser();
    return new TransformStream({
      transform(chunk, controller) {
        for (const { event, data } of parse(decoder.decode(chunk, { stream: true }))) {
          if (event === "message" && data !== undefined) note(data);
        }
        controller.enqueue(chunk);
      },
    });
  }
}

/** The payload within an event's text; the gateway writes it last, and what is before it is flat. */
export function dataText(eventText: string): string {
  const at = /"data(_base64)?":/.exec(eventText);
  return at === null ? "" : eventText.slice(at.index + at[0].length, -1);
}

/** The texts of the objects in the one array that a page has: `{"events":[{…},{…}],…}`. */
export function elementsOf(page: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = 0;
  // Outside of strings only these count, and a string is passed over as a whole.
  for (const { 0: sign, index } of page.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (sign === "{" || sign === "[") {
      depth += 1;
      if (depth === 3) start = index;
    } else if (sign === "}" || sign === "]") {
      if (depth === 3) elements.push(page.slice(start, index + 1));
      depth -= 1;
    }
  }
  return elements;
}
