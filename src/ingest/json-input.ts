/**
 * Reads the JSON of a request: events of our own form and CloudEvents, one or several. An item
 * that cannot be read is a problem in its place and takes nothing else with it; throws when the
 * whole cannot be read.
 */
import { isUtf8 } from "node:buffer";
import { parseJson } from "../http/json.ts";
import { Problem } from "../problem.ts";
import { readStructured } from "./cloudevents.ts";
import { invalid, type EventInput, type Item } from "./event.ts";
import {
  bodyDepthMax,
  dataDepthMax,
  rawMember,
  rawMemberOfEach,
  withoutDeepElements,
  type RawMember,
} from "./json.ts";

export const batchMaxEvents = 1_000;

/** Around an event's `data` stands the event. */
const eventDepthMax = dataDepthMax + 1;

export type ParsedEvent = EventInput & {
  readonly tenant?: string | undefined;
  readonly data?: unknown;
};

/** Checks a value against the form of an event. */
type ParseEvent = (value: unknown) => ParsedEvent | Problem;

/** What one item of a request is read with. Throws its problem. */
type ReadItem = (value: unknown, data: RawMember | undefined) => Item;

export function createJsonInput(parseEvent: ParseEvent) {
  return { body, line, cloudEvent, cloudEvents };

  /** An event, or the events of a batch. */
  function body(text: string): Item | (Item | Problem)[] {
    const { value, ...read } = parse(text, "events");
    const isBatch = typeof value === "object" && value !== null && "events" in value;
    if (!isBatch) return readEvent(value, rawMember(text, "data"));
    checkBatch(value);
    return readEach({ ...read, elements: value.events, list: "events" }, readEvent);
  }

  /** One event, the bytes of a line. */
  function line(bytes: Buffer): Item {
    if (!isUtf8(bytes)) throw new Problem("malformed-json", "the line is not valid UTF-8");
    const text = bytes.toString();
    return readEvent(parseJson(text, eventDepthMax), rawMember(text, "data"));
  }

  function cloudEvent(text: string): Item {
    return readStructured(parseJson(text, eventDepthMax), rawMember(text, "data"));
  }

  function cloudEvents(text: string): (Item | Problem)[] {
    const { value, ...read } = parse(text, undefined);
    checkList(value, "");
    return readEach({ ...read, elements: value, list: undefined }, readStructured);
  }

  function readEvent(value: unknown, raw: RawMember | undefined): Item {
    const parsed = parseEvent(value);
    if (parsed instanceof Problem) throw parsed;
    if (raw === undefined) throw invalid("/data", "expected a value");
    const { tenant, data, ...input } = parsed;
    return { tenant, input, content: { kind: "json", raw, value: data } };
  }
}

type Parsed = { value: unknown; text: string; deep: ReadonlySet<number> };

const none: ReadonlySet<number> = new Set();

/** Of elements that are nested too deep only the indices; all else is as in the text. */
function parse(text: string, list: string | undefined): Parsed {
  try {
    return { value: parseJson(text, bodyDepthMax), text, deep: none };
  } catch (error) {
    if (!(error instanceof Problem) || error.slug !== "invalid") throw error;
    return parseWithoutDeep(text, list) ?? raise(error);
  }
}

function parseWithoutDeep(text: string, list: string | undefined): Parsed | undefined {
  try {
    const shallow = withoutDeepElements(text, eventDepthMax, list);
    if (shallow.deep.size === 0) return undefined;
    return { value: parseJson(shallow.text, bodyDepthMax), ...shallow };
  } catch {
    // What is wrong besides, its place would be one in another text.
    return undefined;
  }
}

function raise(error: Problem): never {
  throw error;
}

type Batch = Omit<Parsed, "value"> & {
  elements: readonly unknown[];
  list: string | undefined;
};

function readEach({ text, deep, elements, list }: Batch, readItem: ReadItem): (Item | Problem)[] {
  const data = rawMemberOfEach(text, "data", list);
  if (data === undefined) throw invalid(`/${list ?? ""}`, "given more than once");
  return elements.map((element, index) => {
    if (deep.has(index)) return invalid("", `nested deeper than ${eventDepthMax} levels`);
    try {
      return readItem(element, data[index]);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  });
}

function checkBatch(value: object): asserts value is { events: readonly unknown[] } {
  const other = Object.keys(value).find((name) => name !== "events");
  if (other !== undefined) throw invalid(`/${other}`, "unknown member");
  checkList((value as { events: unknown }).events, "/events");
}

function checkList(value: unknown, pointer: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(pointer, "expected a list");
  if (value.length > batchMaxEvents) {
    throw invalid(pointer, `has more than ${batchMaxEvents} events`);
  }
}
