/** For a tenant in which nothing has happened yet: three steps to the first delivered event. */
import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { Badge } from "../../parts/badge.tsx";
import { ButtonLink } from "../../parts/button.tsx";
import { TextBlock } from "../../parts/json.tsx";
import { Card } from "../../parts/page.tsx";

export function Guide({ tenant, hasEndpoints }: { tenant: string; hasEndpoints: boolean }) {
  const to = tenantAddresses(tenant);
  const event = { tenant, type: "order.created", subject: "order_1042", data: { amount: 4200 } };
  const command = [
    `curl ${location.origin}/events \\`,
    `  -H "authorization: Bearer $KEY" \\`,
    `  -H "content-type: application/json" \\`,
    `  -d '${JSON.stringify(event)}'`,
  ].join("\n");
  return (
    <Card title="Nothing has happened here yet">
      <ol class="guide">
        <Step title="Create an endpoint" isDone={hasEndpoints}>
          <p>
            An endpoint is a URL of yours to which events are pushed, signed and repeated until they
            are accepted. To read events yourself instead, go on without one.
          </p>
          {hasEndpoints ? (
            <ButtonLink to={to.endpoints}>Show the endpoints</ButtonLink>
          ) : (
            <ButtonLink look="main" to={to.newEndpoint}>
              Create an endpoint
            </ButtonLink>
          )}
        </Step>
        <Step title="Append an event">
          <p>
            With a key that may append, from <Link href={to.keys}>API keys</Link>, in{" "}
            <code>$KEY</code>. The answer comes once the event is stored and can no longer be lost.
          </p>
          <TextBlock text={command} what="the command" />
        </Step>
        <Step title="See it arrive">
          <p>
            The <Link href={to.feed()}>live feed</Link> shows it as it comes. This page then tells
            whether it has reached your endpoint, and what to do if it has not.
          </p>
          <p class="soft" role="status">
            Waiting for the first event …
          </p>
        </Step>
      </ol>
    </Card>
  );
}

function Step(props: { title: string; isDone?: boolean; children: ComponentChildren }) {
  const { title, isDone = false, children } = props;
  return (
    <li>
      <h3>
        {title} {isDone && <Badge state="done" />}
      </h3>
      {children}
    </li>
  );
}
