/** What can be done with an endpoint besides changing its settings. */
import type { Database } from "../../db/database.ts";
import { stopServing } from "../../deliveries/positions.ts";
import {
  generateSecret,
  secretFault,
  shownSecret,
  type SignatureVersion,
} from "../../deliveries/secrets.ts";
import type { Tenant } from "../../http/auth.ts";
import { unknownEndpoint, type EndpointAccess } from "./access.ts";
import { createResume, type ResumeFrom } from "./resume.ts";
import { rotate } from "./rotation.ts";
import { invalid } from "./settings.ts";
import type { ShownEndpoint } from "./show.ts";
import type { StartOf } from "./start.ts";
import type { EndpointRow, EndpointStore } from "./store.ts";

/** What the push side does for it: one push outside the log, whatever the endpoint's status is. */
export type TestPush = (tenantName: string, endpoint: EndpointRow) => Promise<TestedPush>;

export type TestedPush = {
  readonly delivered: boolean;
  readonly attempt: {
    readonly at: string;
    readonly latency_ms: number;
    readonly status_code: number | null;
    readonly error: { readonly class: string; readonly message: string } | null;
    readonly request: {
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };
    readonly response: {
      readonly headers: Readonly<Record<string, string | string[]>>;
      readonly body: string;
      readonly truncated: boolean;
    } | null;
  };
};

export type EndpointActions = ReturnType<typeof createEndpointActions>;

export function createEndpointActions(options: {
  database: Database;
  store: EndpointStore;
  access: EndpointAccess;
  startOf: StartOf;
  testPush: TestPush;
}) {
  const { database, store, access, testPush } = options;
  const resumeEndpoint = createResume(options);

  return { rotateSecret, stop, resume, test };

  /** Nothing more is pushed until it is resumed; its position stays. */
  async function stop(
    id: string,
    tenant: Tenant | undefined,
    to: { status: "paused" | "polling"; reason: string | null },
  ): Promise<ShownEndpoint> {
    const endpoint = await access.find(id, tenant);
    const of = { tenant: endpoint.tenant.id, consumer: endpoint.row.id };
    if (!(await stopServing(database.orm, { ...of, ...to }))) throw unknownEndpoint();
    access.announce(endpoint);
    return access.showOne(endpoint);
  }

  async function resume(
    id: string,
    tenant: Tenant | undefined,
    from: ResumeFrom,
  ): Promise<ShownEndpoint> {
    const endpoint = await access.find(id, tenant);
    await resumeEndpoint(endpoint, from);
    return access.showOne(endpoint);
  }

  async function test(id: string, tenant: Tenant | undefined): Promise<TestedPush> {
    const endpoint = await access.find(id, tenant);
    return testPush(endpoint.tenant.name, endpoint.row);
  }

  /** Throws for a secret that is not of the kind that is wanted, or that the endpoint has. */
  async function rotateSecret(
    id: string,
    tenant: Tenant | undefined,
    wanted: {
      overlapMs: number;
      secret?: string | undefined;
      signature?: SignatureVersion | undefined;
    },
  ): Promise<{ secret: string; signature: SignatureVersion; previous_expires_at: string }> {
    const endpoint = await access.find(id, tenant);
    const at = Date.now();
    const { overlapMs } = wanted;
    const rotated = await store.changeSecrets(endpoint, (before) => {
      const { signature = before.signature } = wanted;
      const { secret = generateSecret(signature) } = wanted;
      const fault = secretFault(secret, signature);
      if (fault !== undefined) throw invalid("/secret", fault);
      return { secrets: rotate(before.secrets, { secret, at, overlapMs }), signature };
    });
    if (rotated === undefined) throw unknownEndpoint();
    access.announce(rotated);
    return {
      secret: shownSecret(store.secretOf(rotated)),
      signature: rotated.row.signature,
      previous_expires_at: new Date(at + overlapMs).toISOString(),
    };
  }
}
