/** What went wrong, in words, and what to do. */
import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import type { ApiError } from "../api.ts";
import { Button } from "./button.tsx";

export function ProblemNote({ error, retry }: { error: Error | ApiError; retry?: () => unknown }) {
  if ("status" in error && error.status === 404) return <NotFound />;
  return (
    <div class="note bad" role="alert">
      <h2>{titleOf(error)}</h2>
      <p>{error.message}</p>
      {retry !== undefined && <Button onPress={() => void retry()}>Try again</Button>}
    </div>
  );
}

/** A fault of the page itself takes away the view that has it, and not the way to the others. */
export function Guarded({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary((fault: unknown) => console.error(fault));
  if (error === undefined) return <>{children}</>;
  return (
    <ProblemNote error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
  );
}

/** Of another tenant, erased, mistyped: the API does not tell these apart, and neither do we. */
export function NotFound() {
  return (
    <Empty title="There is nothing here">
      What this address names does not exist, or belongs to somebody else.
    </Empty>
  );
}

/** A list that has nothing in it says what would be there, and how it gets there. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  );
}

function titleOf(error: Error | ApiError): string {
  if (!("status" in error)) return "This page has failed";
  switch (error.status) {
    case 0:
      return "No connection to the gateway";
    case 401:
      return "This link is over";
    case 403:
      return "Your key may not see this";
    case 429:
      return "Too many requests at the moment";
    case 503:
      return "The gateway is busy or its database is away";
    default:
      return error.problem.title ?? "The gateway did not answer as it should";
  }
}
