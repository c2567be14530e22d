/** What can be done with an endpoint besides changing its settings. */
import {
  generateSecret,
  secretFault,
  shownSecret,
  type SignatureVersion,
} from "../../deliveries/secrets.ts";
import type { Tenant } from "../../http/auth.ts";
import { unknownEndpoint, type EndpointAccess } from "./access.ts";
import { rotate } from "./rotation.ts";
import { invalid } from "./settings.ts";
import type { EndpointStore } from "./store.ts";

export type EndpointActions = ReturnType<typeof createEndpointActions>;

export function createEndpointActions(options: { store: EndpointStore; access: EndpointAccess }) {
  const { store, access } = options;

  return { rotateSecret };

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
