/** One endpoint: how it stands, its settings, its secret, and what it has missed. */
import { useSearchParams } from "wouter-preact";
import { tenantAddresses, withSearch } from "../../addresses.ts";
import { Loading } from "../../parts/loading.tsx";
import { PageHead, Tabs } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import type { TenantView } from "../view.ts";
import { Actions } from "./actions.tsx";
import { MissedTab } from "./missed-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { useEndpoint, type EndpointView } from "./queries.ts";
import { SecretTab } from "./secret-tab.tsx";
import { SettingsTab } from "./settings-tab.tsx";
import "./endpoints.css";

const tabs = [
  ["overview", "Overview"],
  ["settings", "Settings"],
  ["secret", "Secret"],
  ["missed", "Missed"],
] as const;

type Tab = (typeof tabs)[number][0];

export const Endpoint: TenantView = ({ tenant, params }) => {
  const id = params["id"] ?? "";
  const { data, error, refetch } = useEndpoint(tenant, id);
  const to = tenantAddresses(tenant);
  const trail = [{ to: to.endpoints, text: "Endpoints" }];
  if (data === undefined) {
    return (
      <>
        <PageHead title="Endpoint" trail={trail} />
        {error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />}
      </>
    );
  }
  return (
    <>
      <PageHead
        title={titleOf(data)}
        heading={
          <span class="clamp">
            <bdi>{titleOf(data)}</bdi>
          </span>
        }
        trail={trail}
        lead={
          <span class="mono clamp">
            <bdi>{data.url}</bdi>
          </span>
        }
        actions={<Actions tenant={tenant} endpoint={data} />}
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      <Tabbed tenant={tenant} endpoint={data} />
    </>
  );
};

function Tabbed({ tenant, endpoint }: { tenant: string; endpoint: EndpointView }) {
  const [search] = useSearchParams();
  const current = tabs.find(([tab]) => tab === search.get("tab"))?.[0] ?? "overview";
  const own = tenantAddresses(tenant).endpoint(endpoint.id);
  return (
    <>
      <Tabs
        tabs={tabs.map(([tab, text]) => ({
          to: withSearch(own, { tab: tab === "overview" ? undefined : tab }),
          text,
          current: tab === current,
        }))}
      />
      <CurrentTab tab={current} tenant={tenant} endpoint={endpoint} />
    </>
  );
}

function CurrentTab(props: { tab: Tab; tenant: string; endpoint: EndpointView }) {
  const { tab, ...given } = props;
  switch (tab) {
    case "overview":
      return <OverviewTab {...given} />;
    case "settings":
      return <SettingsTab {...given} />;
    case "secret":
      return <SecretTab {...given} />;
    case "missed":
      return <MissedTab {...given} />;
  }
}

function titleOf({ description, url }: EndpointView): string {
  return description ?? URL.parse(url)?.host ?? "Endpoint";
}
