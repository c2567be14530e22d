/** What one attempt can end with. */

import type { Failure } from "./failure.ts";

export type AttemptResponse = {
  readonly status: number;
  /** Names in lower case; a header that came several times is an array. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The start of the body, as it came. */
  readonly body: Buffer;
  /** True when the body went on after what is kept of it. */
  readonly truncated: boolean;
};

type Timing = {
  /** From the start of the attempt to its outcome, both tries included. */
  readonly latencyMs: number;
  /** From the start to the response head, where one came. */
  readonly headMs: number | undefined;
  /** 2 when the connection broke before any response and the request was sent once more. */
  readonly tries: 1 | 2;
};

export type Outcome =
  /** A whole response inside the time-out, whatever its status. */
  | ({ readonly kind: "response"; readonly response: AttemptResponse } & Timing)
  /** None; `response` is what had arrived when it went wrong, if at least the head had. */
  | ({ readonly kind: "failed"; readonly response: AttemptResponse | undefined } & Failure &
      Timing);

/** The start of the body for people: text, without a character that was cut in half. */
export function bodyText(response: AttemptResponse): string {
  const text = new TextDecoder().decode(response.body, { stream: response.truncated });
  return text.replaceAll("\0", "\uFFFD"); // Postgres stores no NUL.
}
