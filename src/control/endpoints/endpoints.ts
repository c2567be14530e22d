/** Endpoints come, are seen, change their settings and go. */
import { generateSecret, shownSecret, type SignatureVersion } from "../../deliveries/secrets.ts";
import type { Tenant } from "../../http/auth.ts";
import type { Start } from "../../http/selection.ts";
import { Problem } from "../../problem.ts";
import type { ListPage, ListQuery } from "../pages.ts";
import { unknownEndpoint, type EndpointAccess } from "./access.ts";
import {
  applyPatch,
  defaultSettings,
  invalid,
  requireWithinLimits,
  type SettingsPatch,
} from "./settings.ts";
import { show, type ShownEndpoint } from "./show.ts";
import type { StartOf } from "./start.ts";
import type { EndpointStore } from "./store.ts";

/** What the push side says of a URL that it would have to reach. */
export type CheckUrl = (url: string) => Promise<UrlCheck>;

export type UrlCheck =
  | { readonly kind: "accepted" }
  | { readonly kind: "invalid" | "address-not-allowed"; readonly detail: string };

type EndpointsOptions = {
  readonly store: EndpointStore;
  readonly access: EndpointAccess;
  readonly startOf: StartOf;
  readonly checkUrl: CheckUrl;
  /** How long events are kept, which no retry schedule may outlast. */
  readonly retentionDays: number;
};

export type Endpoints = ReturnType<typeof createEndpoints>;

type ShownSecret = { readonly secret: string; readonly previous_expires_at: string | null };

export function createEndpoints(options: EndpointsOptions) {
  const { store, access, startOf, checkUrl, retentionDays } = options;

  return { create, list, get, change, remove, secret };

  async function create(
    tenant: Tenant,
    wanted: {
      url: string;
      settings: SettingsPatch;
      signature?: SignatureVersion | undefined;
      /** Of that kind. */
      secret?: string | undefined;
      start?: Start | undefined;
    },
  ): Promise<ShownEndpoint & { secret: string }> {
    const { url, signature = "v1", start } = wanted;
    const { secret = generateSecret(signature) } = wanted;
    const settings = applyPatch({ ...defaultSettings, url }, wanted.settings);
    requireWithinLimits(settings, retentionDays);
    await requireReachable(url);
    // Where the log ends is read in the statement that stores the position, and not here.
    const isLatest = start === undefined || start.kind === "latest";
    const position = isLatest ? "latest" : await startOf(tenant, start, settings);
    const endpoint = await store.create(tenant, settings, { secret, signature, start: position });
    access.announce(endpoint);
    return { ...(await access.showOne(endpoint)), secret: shownSecret(secret) };
  }

  async function list(tenant: Tenant, query: ListQuery): Promise<ListPage<ShownEndpoint>> {
    const page = await store.list(tenant, query);
    const views = await store.view(tenant, page.items);
    return { ...page, items: views.map(show) };
  }

  /** `tenant` is whose the endpoint has to be; undefined, here and below, for any. */
  async function get(id: string, tenant: Tenant | undefined): Promise<ShownEndpoint> {
    return access.showOne(await access.find(id, tenant));
  }

  async function change(
    id: string,
    tenant: Tenant | undefined,
    patch: SettingsPatch,
  ): Promise<ShownEndpoint> {
    const found = await access.find(id, tenant);
    if (patch.url !== undefined) await requireReachable(patch.url);
    const endpoint = await store.change(found, (before) => {
      const after = applyPatch(before, patch);
      requireWithinLimits(after, retentionDays);
      return after;
    });
    if (endpoint === undefined) throw unknownEndpoint();
    access.announce(endpoint);
    return access.showOne(endpoint);
  }

  async function remove(id: string, tenant: Tenant | undefined): Promise<void> {
    const endpoint = await access.find(id, tenant);
    if (!(await store.remove(endpoint))) throw unknownEndpoint();
    access.announce(endpoint);
  }

  /** What verifies the pushes that are signed now. */
  async function secret(id: string, tenant: Tenant | undefined): Promise<ShownSecret> {
    const endpoint = await access.find(id, tenant);
    const overlapEnd = store.overlapEndOf(endpoint, Date.now());
    return {
      secret: shownSecret(store.secretOf(endpoint)),
      previous_expires_at: overlapEnd === undefined ? null : new Date(overlapEnd).toISOString(),
    };
  }

  async function requireReachable(url: string): Promise<void> {
    const check = await checkUrl(url);
    if (check.kind === "invalid") throw invalid("/url", check.detail);
    if (check.kind === "address-not-allowed") throw new Problem(check.kind, check.detail);
  }
}
