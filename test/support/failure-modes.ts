/**
 * The failures that the gateway has to live with, by the names that `npm run test:failures` prints.
 * Each is a test in test/failures and a row of its report; a mode without a row fails the run.
 */
export const failureModes = [
  "slow consumer, just inside the time-out",
  "slow consumer, just outside the time-out",
  "5XX",
  "2XX head, then a body that never comes to its end",
  "drip-fed body",
  "endless body",
  "malformed HTTP: garbage",
  "malformed HTTP: bad chunk",
  "malformed HTTP: two content-lengths",
  "malformed HTTP: header bomb",
  "connection reset before the response",
  "connection reset during the response",
  "connection reset after the response",
  "connection refused",
  "accepts and never answers",
  "TLS: expired certificate",
  "TLS: certificate of another host",
  "DNS: name does not resolve",
  "DNS: name resolves to a private address",
  "DNS: name changes between checks",
  "301",
  "302",
  "307",
  "410",
  "429 with Retry-After in seconds",
  "429 with Retry-After as a date",
  "503 with Retry-After in seconds",
  "503 with Retry-After as a date",
  "payloads of 200 KB",
  "payloads of 1 MB",
  "network partition, and its healing",
  "backlog build-up, and its drain",
  "receiver down through many events, then back",
  "200 after the deadline",
  "one event over many attempts",
] as const;

export type FailureMode = (typeof failureModes)[number];
