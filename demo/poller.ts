/** Walks a tenant's events with `GET /events?cursor=`, and waits at the end for more. */
import type { Api } from "./api.ts";
import { between, createDice } from "./chance.ts";
import type { Ledger } from "./ledger.ts";

const pageMaxEvents = 40;

/** How long the gateway holds a request at the end of the feed. */
const waitSeconds = 2;

type Page = { readonly events: readonly object[]; readonly cursor: string };

/** Returns when it has as many events as the tenant is to have. */
export async function poll(options: {
  api: Api;
  tenant: string;
  ledger: Ledger;
  seed: number;
}): Promise<void> {
  const { api, tenant, ledger, seed } = options;
  const dice = createDice(seed, `poller/${tenant}`);
  const total = ledger.plan(tenant).length;
  let from = "from=earliest";
  let last = 0;

  while (last < total) {
    const limit = between(dice, 1, pageMaxEvents);
    const path = `/events?${from}&limit=${limit}&wait=${waitSeconds}`;
    const { status, text } = await api.request("GET", path);
    if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`);
    ledger.counts.pages += 1;
    const page = JSON.parse(text) as Page;
    for (const envelope of envelopesOf(page, text)) take(envelope);
    from = `cursor=${page.cursor}`;
  }

  /** The text of each event. A page that is made of other bytes than these is a fault. */
  function envelopesOf(page: Page, text: string): readonly string[] {
    const envelopes = page.events.map((event) => JSON.stringify(event));
    if (!text.startsWith(`{"events":[${envelopes.join(",")}],`)) {
      ledger.fault(`poller of ${tenant}: the page after ${last} is made of other bytes`);
    }
    return envelopes;
  }

  function take(envelope: string): void {
    const arrived = ledger.inspect("poller", tenant, envelope);
    if (arrived === undefined) return;
    const { sequence } = arrived;
    if (sequence !== last + 1) ledger.fault(`poller of ${tenant}: ${sequence} came after ${last}`);
    ledger.take("poller", tenant, sequence);
    last = sequence;
  }
}
