/** The pieces that every view begins with. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";

type Crumb = { readonly to: string; readonly text: string };

/** The title also names the tab. */
export function PageHead(props: {
  title: string;
  /** In place of the title's text, where it has more than that. */
  heading?: ComponentChildren;
  trail?: readonly Crumb[];
  lead?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  const { title, heading = title, trail = [], lead, actions } = props;
  useEffect(() => {
    document.title = `${title} · Tidegate`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        {trail.length > 0 && (
          <nav class="trail" aria-label="Where this is">
            {trail.map(({ to, text }) => (
              <span key={to}>
                <Link href={to}>{text}</Link> /{" "}
              </span>
            ))}
          </nav>
        )}
        <h1>{heading}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {actions !== undefined && <div class="row">{actions}</div>}
    </header>
  );
}

export function Card(props: {
  title?: ComponentChildren;
  actions?: ComponentChildren;
  /** Without room around what is in it: tables. */
  flush?: boolean;
  children: ComponentChildren;
}) {
  const { title, actions, flush = false, children } = props;
  return (
    <section class="card">
      {title !== undefined && (
        <div class="card-head">
          <h2>{title}</h2>
          {actions !== undefined && <div class="row">{actions}</div>}
        </div>
      )}
      <div class={flush ? "" : "card-body"}>{children}</div>
    </section>
  );
}

export type StatProps = {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  bad?: boolean;
};

export function Stats({ stats }: { stats: readonly StatProps[] }) {
  return (
    <div class="stats">
      {stats.map(({ label, value, note, bad = false }) => (
        <dl key={label} class={`card stat ${bad ? "bad" : ""}`}>
          <dt>{label}</dt>
          <dd>{value}</dd>
          {note !== undefined && <dd class="note">{note}</dd>}
        </dl>
      ))}
    </div>
  );
}

/** Names and what they are. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => [
        <dt key={name}>{name}</dt>,
        <dd key={`${name} is`}>{value}</dd>,
      ])}
    </dl>
  );
}

/** Views of the same thing, each with an address. */
export function Tabs({ tabs }: { tabs: readonly (Crumb & { current: boolean })[] }) {
  return (
    <nav class="tabs" aria-label="Views">
      {tabs.map(({ to, text, current }) => (
        <Link key={to} href={to} aria-current={current ? "page" : undefined}>
          {text}
        </Link>
      ))}
    </nav>
  );
}
