/**
 * The input: the payloads of real GitHub webhooks that the npm package @octokit/webhooks-examples
 * collects, from 180 bytes to 27 kB, each as compact JSON text.
 */
import { createRequire } from "node:module";
import { chance } from "./chance.ts";

export type Payload = {
  /** `github.pull_request.opened`; `github.push` for webhooks without actions. */
  readonly type: string;
  /** The repository's full name; organisations' webhooks have none. */
  readonly subject: string | undefined;
  readonly data: string;
};

type Webhook = { readonly name: string; readonly examples: readonly Example[] };

type Example = {
  readonly action?: string;
  readonly repository?: { readonly full_name?: string };
};

export function readPayloads(): readonly Payload[] {
  // Not imported, because the types that it declares are not those of a JSON module.
  const require = createRequire(import.meta.url);
  const webhooks = require("@octokit/webhooks-examples") as Webhook[];
  return webhooks.flatMap(({ name, examples }) =>
    examples.map((example) => ({
      type: typeOf(name, example.action),
      subject: example.repository?.full_name,
      data: JSON.stringify(example),
    })),
  );
}

/** All payloads, in an order of this tenant's own. */
export function shufflePayloads(
  payloads: readonly Payload[],
  seed: number,
  tenant: string,
): readonly Payload[] {
  return payloads
    .map((payload, index) => ({ payload, rank: chance(seed, "order", tenant, index) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ payload }) => payload);
}

/** A repository's own actions may have any name, `on-demand-test`; types are made of words. */
function typeOf(name: string, action: string | undefined): string {
  const words = action === undefined ? ["github", name] : ["github", name, action];
  return words.map((word) => word.replaceAll(/\W/g, "_")).join(".");
}
