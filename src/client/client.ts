/**
 * What consumers and producers install: `tidegate/client`. It depends on nothing but what the
 * runtime has (fetch, WebCrypto, streams, `AbortSignal`), and takes nothing from the gateway.
 * These names are its surface; all else may change.
 */
export { toExpressHandler, toHonoHandler, toNodeHandler } from "./adapters.ts";
export type { FetchHandler, NodeRequest, NodeResponse } from "./adapters.ts";
export type { components, operations, paths } from "./api.ts";
export { ConnectionError, FeedGoneError, ProblemError } from "./errors.ts";
export type { ProblemBody } from "./errors.ts";
export type { TidegateEvent } from "./event.ts";
export { createFeed } from "./feed.ts";
export type { Feed, FeedItem, FeedNotice, FeedOptions, FeedPage, FeedSkip } from "./feed.ts";
export type { PushHeaders } from "./headers.ts";
export { createInbox } from "./inbox.ts";
export type { Inbox, InboxFeed, InboxOptions } from "./inbox.ts";
export { InboxConflictError } from "./inbox/handling.ts";
export type { Arrival, ErrorContext, InboxCounts } from "./inbox/handling.ts";
export { memoryStore } from "./inbox/memory.ts";
export type {
  Entry as InboxEntry,
  HandledEvent,
  InboxState,
  InboxStore,
  OnceResult,
  Position as InboxPosition,
} from "./inbox/store.ts";
export type { Appended } from "./lane.ts";
export { createProducer, QueueFullError } from "./producer.ts";
export type { NewEvent, Producer, ProducerOptions } from "./producer.ts";
export type { CursorStore } from "./saving.ts";
export { sign, VerificationError, verify } from "./verify.ts";
export type { RawBody, VerificationReason, VerifyOptions } from "./verify.ts";
