/** The frame: where one can go, whose portal it is, how long the link lasts. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useRoute } from "wouter-preact";
import { operator, tenantAddresses, tenantIn } from "../addresses.ts";
import icon from "../icon.svg";
import { Button } from "../parts/button.tsx";
import { Select } from "../parts/field.tsx";
import { showDuration, showExact, useNow } from "../parts/time.tsx";
import { setKey } from "../session.ts";
import { applyTheme, currentTheme, themes, type Theme } from "./theme.ts";
import { useWho } from "./who.tsx";

type Entry = readonly [to: string, text: string];
type Group = { readonly title: string; readonly entries: readonly Entry[] };

export function Shell({ children }: { children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const [location] = useLocation();
  // Whoever has chosen wants to see it.
  useEffect(() => setOpen(false), [location]);
  return (
    <div class="shell">
      <a class="button main skip" href="#main">
        Skip to the content
      </a>
      <header class="topbar">
        <Brand />
        <Button onPress={() => setOpen(!isOpen)}>{isOpen ? "Close the menu" : "Menu"}</Button>
      </header>
      <Sidebar isOpen={isOpen} />
      <main id="main" class="main" tabIndex={-1} onClick={() => setOpen(false)}>
        <LinkEndsSoon />
        {children}
      </main>
    </div>
  );
}

/** Early enough to finish what is being typed: with the link's end it is gone. */
const soonMs = 5 * 60_000;

function LinkEndsSoon() {
  const { expires_at: at } = useWho();
  const present = useNow();
  if (at === null || Date.parse(at) - present > soonMs) return null;
  return (
    <p class="note warn" role="status">
      This link ends at {showExact(at)}. Save what you are typing. A new link that you open in this
      tab leaves you where you are.
    </p>
  );
}

function Sidebar({ isOpen }: { isOpen: boolean }) {
  const who = useWho();
  const [inTenant, params] = useRoute("/tenants/:tenant/*?");
  const tenant = inTenant ? (tenantIn(params.tenant) ?? null) : who.tenant;
  const groups = [
    ...(who.tenant === null ? [operatorGroup] : []),
    ...(tenant === null ? [] : tenantGroups(tenant)),
  ];
  const addresses = groups.flatMap(({ entries }) => entries.map(([to]) => to));
  return (
    <aside class={`sidebar ${isOpen ? "open" : ""}`}>
      <Brand />
      <nav aria-label="Portal" class="stack">
        {groups.map((group) => (
          <NavGroup key={group.title} {...group} addresses={addresses} />
        ))}
      </nav>
      <div class="sidebar-foot">
        <ThemeChoice />
        {who.expires_at !== null && <LinkEnd at={who.expires_at} />}
        <Button small onPress={() => setKey(undefined)}>
          Sign out
        </Button>
      </div>
    </aside>
  );
}

function Brand() {
  return (
    <Link href="/" class="brand">
      <img src={icon} alt="" /> Tidegate
    </Link>
  );
}

const operatorGroup: Group = {
  title: "Operator",
  entries: [
    [operator.home, "Overview"],
    [operator.tenants, "Tenants"],
    [operator.search(""), "Search"],
    [operator.system, "System"],
  ],
};

function tenantGroups(tenant: string): Group[] {
  const to = tenantAddresses(tenant);
  return [
    {
      title: tenant,
      entries: [
        [to.overview, "Overview"],
        [to.feed(), "Events"],
        [to.endpoints, "Endpoints"],
        [to.deliveries(), "Deliveries"],
        [to.missed(), "Missed"],
        [to.replays, "Replays"],
        [to.consumers, "Consumers"],
      ],
    },
    {
      title: "Set up",
      entries: [
        [to.signatures(), "Signatures"],
        [to.eventTypes, "Event types"],
        [to.keys, "API keys"],
        [to.limits, "Limits"],
      ],
    },
  ];
}

/** Of one group; `addresses` are those of all, of which one is where we are. */
function NavGroup({ title, entries, addresses }: Group & { addresses: readonly string[] }) {
  const [location] = useLocation();
  const current = currentOf(location, addresses);
  return (
    <div class="nav-group">
      <h2 class="truncate">{title}</h2>
      <ul>
        {entries.map(([to, text]) => (
          <li key={to}>
            <Link href={to} aria-current={to === current ? "page" : undefined}>
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The longest beginning of where we are; what is of one tenant has its own. */
function currentOf(location: string, addresses: readonly string[]): string | undefined {
  const above = (address: string) =>
    location === address || (address !== operator.tenants && location.startsWith(`${address}/`));
  return addresses.filter(above).toSorted((a, b) => b.length - a.length)[0];
}

function ThemeChoice() {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => applyTheme(theme), [theme]);
  return (
    <Select
      label="Colours"
      value={theme}
      onValue={(value) => setTheme(value as Theme)}
      options={themes.map((each) => [
        each,
        { system: "As the system", light: "Light", dark: "Dark" }[each],
      ])}
    />
  );
}

function LinkEnd({ at }: { at: string }) {
  const left = Date.parse(at) - useNow();
  return <p>{left > 0 ? `This link ends in ${showDuration(left)}.` : "This link has ended."}</p>;
}
