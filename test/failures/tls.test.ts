/** Certificates that must not be trusted, told apart by a gateway that knows their authority. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createAuthority, type Certificate } from "../support/certificate.ts";
import { failureStage } from "../support/failures.ts";
import { report } from "../support/failure-report.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";

const authority = createAuthority();
const dayMs = 24 * 60 * 60 * 1_000;

/** What the environment names as proxy, without anybody having configured it for pushes. */
let trap: Receiver;

/** A process of its own: only so can it be told of an authority of ours when it starts. */
const { receiverThat, targetAt } = failureStage(async (opened) => {
  const database = opened.use(await createTestDatabase());
  const directory = opened.use(await createDirectory());
  trap = opened.use(await startReceiver());
  const proxy = new URL(trap.url).origin;
  const authorityFile = join(directory.path, "authority.pem");
  await writeFile(authorityFile, authority.cert);
  const env = {
    ...productionEnvironment(database.url),
    NODE_EXTRA_CA_CERTS: authorityFile,
    // Meant for other programs; or left from a search for a fault. A push heeds none of them.
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_USE_ENV_PROXY: "1",
    ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy },
  };
  const gateway = opened.use(await startGatewayProcess({ directory: directory.path, env }));
  const { url, operatorKey } = gateway;
  return { url, operatorKey, databaseUrl: database.url };
});

afterAll(() => expect(trap.connections.accepted).toBe(0));

const twice = { retry_schedule: ["1s"] };

async function targetWith(tls: Certificate) {
  const receiver = await receiverThat(undefined, { tls });
  // The hosts file of every machine has this name.
  const target = await targetAt(`https://localhost:${receiver.port}/hook`, twice);
  return { ...target, receiver };
}

test("a good certificate is trusted, whatever the environment says of proxies", async () => {
  const target = await targetWith(authority.issue({ host: "localhost" }));
  const event = await target.append();
  await target.settled([event]);
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ delivered: 1, attempts: 1, told: null });
  expect(trap.connections.accepted).toBe(0);
});

test.each([
  {
    mode: "TLS: expired certificate",
    certificate: {
      host: "localhost",
      notBefore: new Date(Date.now() - 2 * dayMs),
      notAfter: new Date(Date.now() - dayMs),
    },
    words: "tls: certificate expired",
  },
  {
    mode: "TLS: certificate of another host",
    certificate: { host: "other.example" },
    words: "tls: certificate is for another host",
  },
] as const)("nothing is sent over this: $mode", async ({ mode, certificate, words }) => {
  const target = await targetWith(authority.issue(certificate));
  const event = await target.append();
  await target.until(({ dead }) => dead === 1);
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
  expect(measured.told).toBe(`${words} (2 attempts failed)`);
  expect(target.receiver.requests).toHaveLength(0);
  report(mode, measured, `${target.receiver.requests.length} requests reached it`);
});
