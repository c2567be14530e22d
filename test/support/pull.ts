/** A server of pages over a test's feed, and a client for it. */
import { isUnavailable } from "../../src/db/database.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { createPullStage } from "../../src/pull/stage.ts";
import { keyOf, type TestFeed } from "./feed.ts";
import { startApi } from "./http.ts";

export type PullApi = Awaited<ReturnType<typeof startPullApi>>;

export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  json: {
    events: { sequence: string }[];
    cursor: string;
    has_more: boolean;
    [member: string]: unknown;
  };
  /** Of a problem. */
  slug: string | undefined;
};

export async function startPullApi(feed: TestFeed) {
  const directory = { ...feed.directory, tenantByPrefix: feed.tenantByPrefix };
  const pull = createPullStage({ ...feed, directory });
  const api = await startApi(pull.routes, { directory, isUnavailable });
  const close = () => api.stop(0);
  return { ...api, pull, get, close, [Symbol.asyncDispose]: close };

  /** A request with the tenant's key; `query` may be a whole target. */
  async function get(
    tenant: Tenant,
    query: Record<string, string> | string = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const target =
      typeof query === "string" ? query : `/events?${new URLSearchParams(query).toString()}`;
    const response = await fetch(`${api.url}${target}`, {
      headers: { authorization: `Bearer ${keyOf(tenant)}`, ...headers },
    });
    const text = await response.text();
    const json = (text === "" ? {} : JSON.parse(text)) as Answer["json"];
    const slug = (json["type"] as string | undefined)?.replace(/.*\//, "");
    return { status: response.status, headers: response.headers, text, json, slug };
  }
}

export function sequences({ json }: Answer): number[] {
  return json.events.map((event) => Number(event.sequence));
}
