/**
 * What operators see of the process. Log lines are JSON on stderr, one wide line per unit of
 * work; authorization headers and secrets never reach them, wherever in a line they stand.
 */

import { pino } from "pino";

export type Logger = pino.Logger;

/** Members whose values are replaced, at the top of a line and up to two levels down. */
const secretMembers = ["authorization", "cookie", "password", "secret", "secrets", "operatorKey"];
const depths = ["", "*.", "*.*."];

export function createLogger(options: {
  level: string;
  destination?: pino.DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Numbers such as 30 mean "info" only to readers who know this library.
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
      redact: depths.flatMap((depth) => secretMembers.map((member) => depth + member)),
    },
    options.destination ?? pino.destination(2),
  );
}

/** The database's errors quote whole statements with their values: only what caused them is told. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  if ("query" in error && "params" in error && error.cause instanceof Error) {
    return describeError(error.cause);
  }
  const { type, message, stack } = pino.stdSerializers.err(error);
  return { type, message, stack, code: (error as { code?: unknown }).code };
}
