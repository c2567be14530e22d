/** Whether the NATS servers that NATS_URL names can carry the fan-out. Nothing is made there. */
import type { NatsConfig } from "../../config.ts";
import { dial } from "../../fanout/dial.ts";
import { parseServers } from "../../fanout/servers.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** The first whose consumers are made as they are made here. */
const versionMin = [2, 9] as const;

const without = "Without it all is delivered, about a second later.";

export async function checkBroker(nats: NatsConfig): Promise<Finding> {
  try {
    const connection = await dial(parseServers(nats.servers), nats);
    try {
      const version = connection.info?.version ?? "";
      const [major = 0, minor = 0] = version.split(".").map(Number);
      if (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])) {
        return fail(
          "NATS",
          `nats-server ${version}`,
          `${versionMin.join(".")} or newer is needed.`,
        );
      }
      await (await connection.jetstreamManager()).getAccountInfo();
      return ok("NATS", `nats-server ${version} with JetStream`);
    } finally {
      await connection.close();
    }
  } catch (error) {
    return brokerFault(error);
  }
}

function brokerFault(error: unknown): Finding {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (code === "503") {
    return fail(
      "NATS",
      "it has no JetStream",
      `Start it with -js (or for the account). ${without}`,
    );
  }
  if (code === "CONNECTION_REFUSED" || code === "TIMEOUT") {
    return warn("NATS", `no server of NATS_URL answers (${code})`, `Is one running? ${without}`);
  }
  if (/AUTH/i.test(code)) {
    return fail("NATS", `it refuses who we are (${code})`, `See "NATS" in README.md. ${without}`);
  }
  return fail("NATS", message, `See "NATS" in README.md. ${without}`);
}
