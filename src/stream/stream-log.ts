/** One wide line for each stream when it is over: the same keys, whatever ended it. */
import type { Logger } from "../telemetry/logger.ts";
import type { Stream } from "./stream.ts";

/** To be called when a stream begins; what it returns, when it is closed. */
export function createStreamLog(log: Logger): (stream: Stream) => () => void {
  return (stream) => {
    // The response forgets its connection when it ends.
    const { socket } = stream.response;
    const before = socket?.bytesWritten ?? 0;
    return () => {
      if (!log.isLevelEnabled("debug")) return;
      const { channel, request, key, events, reason, problem, openedAt, response } = stream;
      const line = {
        ...{ tenant: channel.tenant.name, key, request, events },
        ...{ bytes: (socket?.bytesWritten ?? before) - before, outcome: reason ?? "client_left" },
        ...{ problem: problem?.slug ?? null, drained: response.writableFinished },
        durationMs: Math.round(performance.now() - openedAt),
      };
      log.debug(line, "stream");
    };
  };
}
