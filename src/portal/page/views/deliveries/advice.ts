/** What a failed attempt means, and what the person who runs the receiver can do. Pure. */
import { showDuration } from "../../parts/time.tsx";
import type { AttemptData } from "./words.ts";

export type Advice = { readonly meaning: string; readonly todo: string };

/** Undefined for an attempt that succeeded. */
export function adviceOn(attempt: AttemptData, timeoutMs: number | undefined): Advice | undefined {
  const { error, status_code: code, response } = attempt;
  if (error === null) return undefined;
  const wish = response?.headers["webhook-delivery"];
  if (wish === "abort-message") {
    return {
      meaning: "The receiver asked, by the header webhook-delivery, that this is not sent again.",
      todo: "If that was not meant, replay it once the receiver takes it.",
    };
  }
  if (error.class === "timeout") return onTimeout(timeoutMs);
  const known = byClass[error.class];
  if (known !== undefined) return known;
  return code === null ? noAnswer : onStatus(code, attempt);
}

function onTimeout(timeoutMs: number | undefined): Advice {
  const time = timeoutMs === undefined ? "the endpoint's time-out" : showDuration(timeoutMs);
  return {
    meaning: `The whole answer has to come within ${time}, and did not.`,
    todo: "Answer 2xx as soon as the event is stored and do the work afterwards, or raise the endpoint's time-out (30 s at most).",
  };
}

const byClass: Readonly<Record<string, Advice>> = {
  dns: {
    meaning: "The host's name leads to no address.",
    todo: "Check the spelling of the URL, and that the name exists in public DNS.",
  },
  address: {
    meaning:
      "The name leads to an address that the gateway does not send to: a private or special one.",
    todo: "Use a public address. The operator can allow a private network for this gateway.",
  },
  connect: {
    meaning: "No connection came about: nothing listens there, or something in between refuses it.",
    todo: "Check that the receiver runs, that host and port are right, and that its firewall lets the gateway in.",
  },
  reset: {
    meaning: "The connection was closed before the answer was complete.",
    todo: "Look for a crash or a restart of the receiver, or for a proxy with a shorter time-out. It may have got the event: discard repeats by webhook-id.",
  },
  tls: {
    meaning: "The connection could not be made secure, so nothing was sent over it.",
    todo: "Renew the certificate, serve its whole chain, and make sure that it is for this host.",
  },
};

const noAnswer: Advice = {
  meaning: "What came back is no complete HTTP answer.",
  todo: "Check that an HTTP server stands behind this port, and no other protocol.",
};

function onStatus(code: number, { response }: AttemptData): Advice {
  if (code >= 300 && code < 400) return onRedirect(response?.headers["location"]);
  const known = byStatus[code];
  if (known !== undefined) return known;
  if (code >= 500) {
    return {
      meaning: "The receiver failed while it worked on the event.",
      todo: "Look in its log around the time of the attempt; the answer below may say more. Retries go on until it answers 2xx.",
    };
  }
  if (code >= 400) {
    return {
      meaning: "The receiver refused the request.",
      todo: "See below what it says. A refusal is tried again like any failure; to stop that, it can answer with webhook-delivery: abort-message.",
    };
  }
  return {
    meaning: "The receiver answered, but the delivery did not count as accepted.",
    todo: "See below what it says.",
  };
}

function onRedirect(location: string | string[] | undefined): Advice {
  const to = typeof location === "string" ? `, here ${location}` : "";
  return {
    meaning: "Redirects are not followed: signed events go only where the endpoint says.",
    todo: `Set the endpoint's URL to the address that the redirect leads to${to}.`,
  };
}

const byStatus: Readonly<Record<number, Advice>> = {
  401: {
    meaning: "The receiver did not accept who sent it.",
    todo: "Check that it verifies with this endpoint's secret, and the headers that the endpoint adds.",
  },
  403: {
    meaning: "The receiver, or a firewall before it, does not allow the request.",
    todo: "Check that it verifies with this endpoint's secret, and that no filter blocks the gateway.",
  },
  404: {
    meaning: "There is nothing at this path.",
    todo: "Check the path of the endpoint's URL against the receiver's routes.",
  },
  405: {
    meaning: "The path does not take POST.",
    todo: "Let the receiver take POST there, or correct the path of the endpoint's URL.",
  },
  410: {
    meaning:
      "410 says that the receiver is gone for good, so the endpoint was disabled. It keeps its position.",
    todo: "If that was not meant, resume the endpoint: it goes on where it stood.",
  },
  413: {
    meaning: "The event is larger than the receiver takes.",
    todo: "Raise the body limit of the receiver or of the proxy before it; events may have 1 MiB of data.",
  },
  429: {
    meaning:
      "The receiver gets more than it takes at the moment. A Retry-After that it sends is kept.",
    todo: "Set a rate for the endpoint that the receiver can bear.",
  },
  503: {
    meaning: "The receiver says that it cannot serve now. A Retry-After that it sends is kept.",
    todo: "Nothing, if it is back soon. Otherwise look why it is overloaded or down.",
  },
};
