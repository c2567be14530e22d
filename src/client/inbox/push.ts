/**
 * Reads a push: is it the gateway's, which event is it, and where does it stand. Whoever is refused
 * learns no more than that.
 *
 * The event and its sequence are under the signature of the body. Where it stands is told by headers
 * with a signature of their own. Without that, as an older gateway sends it or somebody who repeats
 * a push with other headers, nothing is known of the place, and pages tell it.
 */
import type { TidegateEvent } from "../event.ts";
import { verify, VerificationError, verifyPlace } from "../verify.ts";

export type Push = {
  readonly event: TidegateEvent;
  readonly sequence: number;
  /** Nothing of this inbox lies between this sequence and the event's. */
  readonly previous: number;
  readonly cursor: string | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Of a deliberate replay. */
  readonly replay: string | undefined;
};

export type Reading =
  | { readonly kind: "push"; readonly push: Push }
  /** Stands in no log. */
  | { readonly kind: "test" }
  | { readonly kind: "refused"; readonly response: Response; readonly error?: Error };

/** An envelope: the gateway takes a MiB of data, and some more around it. */
const bodyMaxBytes = 4 << 20;

const cursorForm = /^[A-Za-z0-9_-]{1,200}$/;
const replayForm = /^[A-Za-z0-9_-]{1,200}$/;

export async function readPush(
  request: Request,
  options: {
    readonly secret: string | readonly string[];
    readonly toleranceSeconds: number | undefined;
    readonly endpoint: string;
  },
): Promise<Reading> {
  if (request.method !== "POST") return refused(405, "pushes are POST", { allow: "POST" });
  const body = await readBody(request);
  if (body === undefined) return refused(413, "too large");
  const { headers } = request;
  const { secret, toleranceSeconds } = options;
  let event: TidegateEvent;
  try {
    const tolerance = toleranceSeconds === undefined ? {} : { toleranceSeconds };
    event = await verify(secret, headers, body, tolerance);
  } catch (error) {
    return refusal(error);
  }
  const endpoint = headers.get("tidegate-endpoint");
  if (endpoint !== null && endpoint !== options.endpoint) {
    const text = `the push is for ${endpoint}, and this inbox reads ${options.endpoint}`;
    return { ...refused(400, "another endpoint's"), error: new Error(text) };
  }
  const sequence = Number(event.sequence);
  if (sequence === 0) return { kind: "test" };
  const attempt = Math.max(1, Number(headers.get("tidegate-attempt")) || 1);
  const place = (await verifyPlace(secret, headers))
    ? placeOf(headers, sequence)
    : unknownPlace(sequence);
  return { kind: "push", push: { event, sequence, attempt, ...place } };
}

function unknownPlace(sequence: number) {
  return { previous: sequence - 1, cursor: undefined, replay: undefined };
}

function placeOf(headers: Headers, sequence: number) {
  const text = headers.get("tidegate-previous-sequence") ?? "";
  const given = /^\d{20}$/.test(text) ? Number(text) : 0;
  return {
    // "The first of this endpoint" says nothing of what was before the endpoint, or when it was
    // made again; then only the event right before it is known to be the previous one.
    previous: given > 0 && given < sequence ? given : sequence - 1,
    cursor: matching(headers.get("tidegate-cursor"), cursorForm),
    replay: matching(headers.get("tidegate-replay"), replayForm),
  };
}

function matching(text: string | null, form: RegExp): string | undefined {
  return text !== null && form.test(text) ? text : undefined;
}

/** Undefined when it is too long; the rest is not read. */
async function readBody({ body }: Request): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > bodyMaxBytes) {
      await reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function refusal(error: unknown): Reading {
  if (!(error instanceof VerificationError)) throw error;
  switch (error.reason) {
    case "secret-malformed":
      // The receiver's own fault: the push must come again when it is mended.
      return { ...refused(500, "the receiver is not set up"), error };
    case "headers-missing":
    case "headers-malformed":
    case "body-malformed":
      return { ...refused(400, "not a push"), error };
    case "too-old":
    case "too-new":
    case "signature-mismatch":
    case "id-mismatch":
      return { ...refused(401, "not authentic"), error };
  }
}

function refused(status: number, text: string, headers: Record<string, string> = {}) {
  return { kind: "refused" as const, response: new Response(text, { status, headers }) };
}
