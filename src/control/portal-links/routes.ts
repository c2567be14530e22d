/** `/portal-links`: what opens the portal for somebody who has no key. */
import type { Socket } from "node:net";
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { bearerToken } from "../../http/auth.ts";
import { route, type Route } from "../../http/route.ts";
import { tenantMember, timestamp } from "../../http/schemas.ts";
import { makeToken } from "./links.ts";

const defaultTtlSeconds = 3_600;

/** A day: who looks on for longer is given another one. */
const maxTtlSeconds = 86_400;

const newLink = z
  .strictObject({
    ...tenantMember,
    ttl_seconds: z.int().min(1).max(maxTtlSeconds).default(defaultTtlSeconds).meta({
      description: "Until then it can be used; the key's own end may come before",
    }),
  })
  .meta({ id: "NewPortalLink", example: { tenant: "acme", ttl_seconds: 3_600 } });

const madeLink = z
  .object({
    url: z.string().meta({
      description: "For the customer's browser; shown this once. Whoever has it has the tenant",
    }),
    expires_at: timestamp,
  })
  .meta({
    id: "PortalLink",
    example: {
      url: "https://events.example.com/portal/tenants/acme#token=tg_pl_Zk3yQ0c7mVt2Ls9xWb4nRd8eHj5uPa1g",
      expires_at: "2026-11-23T13:00:00.000Z",
    },
  });

/** Without a `publicUrl` a link leads to where the request for it came to. */
export function createPortalLinkRoutes(deps: { orm: Orm; publicUrl: string | undefined }): Route[] {
  const { orm, publicUrl } = deps;
  return [
    route({
      method: "post",
      path: "/portal-links",
      id: "createPortalLink",
      tag: "keys",
      summary: "Make a link that opens the portal of a tenant",
      description:
        "For a platform's customers, who have no key: send the browser there when a customer asks " +
        "for it. The link may do all that a key with the scope `manage` may, until it expires; " +
        "what follows its `#` is in no request and no log. Revoking the key ends the links that " +
        "it made, and those that were made with them; keys that were made with them are keys like " +
        "others, and stay until they are revoked or expire.",
      access: "manage",
      tenant: "named",
      limit: "reads",
      body: newLink.prefault({}),
      responses: { 201: madeLink },
      handle: async ({ body, tenant, request }) => {
        const { token, expiresAt } = await makeToken(orm, {
          tenant: tenant.id,
          key: bearerToken(request.header("authorization")),
          ttlSeconds: body.ttl_seconds,
        });
        const base = publicUrl ?? addressOf(request.incoming.socket);
        const url = `${base}/portal/tenants/${tenant.name}#token=${token}`;
        return { status: 201, body: { url, expires_at: expiresAt.toISOString() } };
      },
    }),
  ];
}

/**
 * Not what the `Host` header says, which a client makes up; and better than what was listened on,
 * which may be all addresses.
 */
function addressOf({ localAddress = "", localPort }: Socket): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, "");
  return `http://${address.includes(":") ? `[${address}]` : address}:${localPort}`;
}
