/**
 * Why an attempt got no response, for the person who runs the endpoint: a class to count by and a
 * message to read. A code of the network stack appears only where there are no words for it.
 */

import { EgressError } from "./egress.ts";

export type FailureClass = "dns" | "address" | "connect" | "reset" | "tls" | "timeout" | "http";

export type Failure = { readonly class: FailureClass; readonly message: string };

/** How far a request has come: what an error means depends on it. */
export type Phase = "connecting" | "waiting" | "reading";

export function timeoutFailure(phase: Phase, timeoutMs: number): Failure {
  const within = `in ${timeoutMs / 1000} s`;
  switch (phase) {
    case "connecting":
      return { class: "timeout", message: `no connection ${within}` };
    case "waiting":
      return { class: "timeout", message: `no response head ${within}` };
    case "reading":
      return { class: "timeout", message: `body not finished ${within}` };
  }
}

/** The failure behind an error of the network stack. */
export function failureOf(error: unknown, phase: Phase): Failure {
  if (error instanceof EgressError) return { class: error.class, message: error.message };
  const { name, code = "", message } = innermost(error);
  const known = byCode[code];
  if (known !== undefined) return known;
  if (name === "HTTPParserError" || code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") {
    return parserFailure(phase, message);
  }
  if (isTls(code, message)) return { class: "tls", message: tlsWords(code) };
  if (brokenCodes.has(code)) return broken(phase, message);
  const detail = code === "" ? message : code;
  return phase === "connecting"
    ? { class: "connect", message: `connection failed (${detail})` }
    : { class: "reset", message: `connection broke (${detail})` };
}

const byCode: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: { class: "connect", message: "connection refused" },
  EHOSTUNREACH: { class: "connect", message: "host unreachable" },
  ENETUNREACH: { class: "connect", message: "network unreachable" },
  ETIMEDOUT: { class: "connect", message: "connection timed out" },
  UND_ERR_HEADERS_OVERFLOW: { class: "http", message: "response head too large" },
  RESPONSE_TOO_LONG: { class: "http", message: "response too long" },
  // The client's own, about a status that cannot be.
  ERR_ASSERTION: { class: "http", message: "malformed response" },
  UND_ERR_ABORTED: { class: "connect", message: "the egress proxy refused the connection" },
  UND_ERR_PRX_TLS: { class: "tls", message: "certificate is for another host" },
  UND_ERR_INVALID_ARG: { class: "http", message: "the request cannot be sent" },
};

const malformedResponse: Failure = { class: "http", message: "malformed response" };

const closedInBody: Failure = {
  class: "reset",
  message: "connection closed before the body was finished",
};

/** The parser calls a body short of its announced length by its length, or by an end of file. */
function parserFailure(phase: Phase, message: string): Failure {
  if (phase !== "reading") return malformedResponse;
  const ended = message.includes("EOF") || message.includes("content-length");
  return ended ? closedInBody : { class: "http", message: "malformed body" };
}

const brokenCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

function broken(phase: Phase, message: string): Failure {
  // The client's words for 100 Continue and 101 Switching Protocols that nobody asked for.
  if (message.startsWith("bad ")) return malformedResponse;
  switch (phase) {
    case "connecting":
      return { class: "connect", message: "connection reset while connecting" };
    case "waiting":
      return { class: "reset", message: "connection closed before a response" };
    case "reading":
      return closedInBody;
  }
}

function isTls(code: string, message: string): boolean {
  return (
    tlsMessages[code] !== undefined ||
    code.startsWith("ERR_SSL_") ||
    code.startsWith("ERR_TLS_") ||
    code === "EPROTO" ||
    /^(CERT|CRL|UNABLE_TO)_/.test(code) ||
    (code === "ECONNRESET" && message.includes("before secure TLS connection"))
  );
}

function tlsWords(code: string): string {
  if (code === "ECONNRESET") return "connection closed during the handshake";
  return tlsMessages[code] ?? `handshake failed (${code})`;
}

const unknownAuthority = "certificate chain is incomplete, or ends in an unknown authority";

const tlsMessages: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate expired",
  CERT_NOT_YET_VALID: "certificate not valid yet",
  CERT_REVOKED: "certificate revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate is for another host",
  ERR_SSL_WRONG_VERSION_NUMBER: "the other side does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the other side does not speak TLS",
};

type CodedError = { readonly name: string; readonly code?: string; readonly message: string };

/** When several addresses were tried the errors come as one; its first speaks for all. */
function innermost(error: unknown): CodedError {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error ? error : { name: "", message: String(error) };
}
