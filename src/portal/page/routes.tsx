/** The views, in the order in which paths are tried. */
import type { ComponentType } from "preact";
import type { TenantView } from "./views/view.ts";
import { Overview } from "./views/overview/overview.tsx";
import { Endpoints } from "./views/endpoints/list.tsx";
import { NewEndpoint } from "./views/endpoints/new.tsx";
import { Endpoint } from "./views/endpoints/endpoint.tsx";
import { Deliveries } from "./views/deliveries/list.tsx";
import { Delivery } from "./views/deliveries/delivery.tsx";
import { Missed } from "./views/missed/missed.tsx";
import { Replays } from "./views/replays/list.tsx";
import { Replay } from "./views/replays/replay.tsx";
import { Feed } from "./views/events/feed.tsx";
import { Event } from "./views/events/event.tsx";
import { EventTypes } from "./views/event-types/list.tsx";
import { EventType } from "./views/event-types/event-type.tsx";
import { Consumers } from "./views/consumers/list.tsx";
import { Consumer } from "./views/consumers/consumer.tsx";
import { Signatures } from "./views/signatures/signatures.tsx";
import { Keys } from "./views/keys/keys.tsx";
import { Limits } from "./views/limits/limits.tsx";
import { OperatorOverview } from "./views/operator/overview.tsx";
import { Tenants } from "./views/operator/tenants.tsx";
import { Search } from "./views/operator/search.tsx";
import { System } from "./views/operator/system.tsx";

export const tenantRoutes: readonly { path: string; view: TenantView }[] = [
  { path: "", view: Overview },
  { path: "/endpoints", view: Endpoints },
  { path: "/endpoints/new", view: NewEndpoint },
  { path: "/endpoints/:id", view: Endpoint },
  { path: "/deliveries", view: Deliveries },
  { path: "/deliveries/:id", view: Delivery },
  { path: "/missed", view: Missed },
  { path: "/replays", view: Replays },
  { path: "/replays/:id", view: Replay },
  { path: "/events", view: Feed },
  { path: "/events/:id", view: Event },
  { path: "/event-types", view: EventTypes },
  { path: "/event-types/:type", view: EventType },
  { path: "/consumers", view: Consumers },
  { path: "/consumers/:name", view: Consumer },
  { path: "/signatures", view: Signatures },
  { path: "/keys", view: Keys },
  { path: "/limits", view: Limits },
];

export const operatorRoutes: readonly { path: string; view: ComponentType }[] = [
  { path: "/", view: OperatorOverview },
  { path: "/tenants", view: Tenants },
  { path: "/search", view: Search },
  { path: "/system", view: System },
];
