/** Whether the addresses that a gateway would listen at are free, and its proxy is there. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Config } from "../../config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const connectTimeoutMs = 5_000;

export async function checkAddresses(config: Config): Promise<Finding[]> {
  const { host, port, metricsAddress, egressProxy, allowAddresses, databaseUrl } = config;
  const findings = [await checkListen("address", host, port, "HOST or PORT")];
  if (metricsAddress !== undefined) {
    const { host: name, port: number } = metricsAddress;
    findings.push(await checkListen("metrics", name, number, "TIDEGATE_METRICS_ADDRESS"));
  }
  if (egressProxy !== undefined) findings.push(await checkProxy(egressProxy));
  if (databaseUrl !== undefined && allowAddresses.some((cidr) => cidr.endsWith("/0"))) {
    const advice = "Name the networks that receivers are in, no others.";
    findings.push(warn("pushes", "endpoints may reach every private address", advice));
  }
  return findings;
}

async function checkListen(
  what: string,
  host: string,
  port: number,
  variable: string,
): Promise<Finding> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return ok(what, port === 0 ? "a free port is taken" : `${address} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") {
      return fail(what, `${address} cannot be listened at (${code})`, `Set ${variable}.`);
    }
    if (await isGateway(host, port)) return ok(what, `a gateway runs at ${address} already`);
    return fail(what, `${address} is taken by another program`, `Stop it, or set ${variable}.`);
  } finally {
    server.close();
  }
}

async function isGateway(host: string, port: number): Promise<boolean> {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const url = `http://${name.includes(":") ? `[${name}]` : name}:${port}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(connectTimeoutMs) });
    return ((await response.json()) as { status?: string }).status === "alive";
  } catch {
    return false;
  }
}

async function checkProxy(url: string): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url);
  const number = Number(port) || (protocol === "https:" ? 443 : 80);
  const socket = connect({ host: hostname, port: number });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(connectTimeoutMs) });
    return ok("egress proxy", `${hostname}:${number} answers`);
  } catch {
    const advice = "Pushes leave through TIDEGATE_EGRESS_PROXY only: none arrives without it.";
    return fail("egress proxy", `${hostname}:${number} cannot be reached`, advice);
  } finally {
    socket.destroy();
  }
}
