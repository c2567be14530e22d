/**
 * `/portal`: the page in which operators and tenants look after endpoints, deliveries and feeds. It
 * is one document that reads its own address, and uses the API that everybody uses: what it may do
 * depends on the key that it is given.
 */
import { z } from "zod";
import { namesTag } from "../http/etag.ts";
import { route, type Route } from "../http/route.ts";
import { Problem } from "../problem.ts";
import { encodingFor, type PageFile, type PageFiles } from "./files.ts";

const assetsPath = "/portal/assets/";

const notBuilt =
  "the portal was not built: run `npm run build:portal` where Tidegate is installed, and start anew";

/**
 * The page holds a key, so nothing but its own files may run in it, be loaded by it or show it in a
 * frame, and it can speak to nobody but the gateway. No text becomes code or markup on its own
 * (Trusted Types): neither Preact nor the page needs that.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** All that browsers would ask the user about, or hand out. Copying is left: the page copies ids. */
const permissionsPolicy = [
  ...["accelerometer", "autoplay", "camera", "clipboard-read", "display-capture"],
  ...["encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection"],
  ...["local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture"],
  ...["publickey-credentials-get", "screen-wake-lock", "serial", "usb", "web-share"],
  "xr-spatial-tracking",
]
  .map((feature) => `${feature}=()`)
  .join(", ");

const security = {
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": permissionsPolicy,
  "referrer-policy": "no-referrer",
};

const headerTexts = {
  "content-security-policy": "Nothing but the page's own files, and this gateway",
  "cross-origin-opener-policy": "`same-origin`",
  "cross-origin-resource-policy": "`same-origin`",
  "permissions-policy": "Everything is off",
  "referrer-policy": "`no-referrer`",
};

const etagText = { etag: "Of this page in this encoding" };

/** Undefined where it was not built: then that is what it says. */
export function createPortalRoutes(page: PageFiles | undefined): Route[] {
  return [
    route({
      method: "get",
      path: "/portal",
      id: "getPortal",
      tag: "system",
      summary: "The portal, for browsers",
      description:
        "All paths below it are the page's as well, so that each view has an address. `POST " +
        "/portal-links` makes links that open it for a tenant.",
      access: "public",
      page: true,
      responses: {
        200: {
          content: { "text/html": z.string().meta({ example: "<!doctype html>" }) },
          headers: {
            ...{ ...headerTexts, ...etagText },
            "content-encoding": "`br` or `gzip`, where that is taken",
          },
        },
        304: { headers: etagText },
      },
      handle({ request }) {
        if (page === undefined) throw new Problem("unavailable", notBuilt);
        const [path = ""] = (request.incoming.url ?? "").split("?", 1);
        const accepted = request.header("accept-encoding");
        if (!path.startsWith(assetsPath)) {
          return indexReply(page.index, accepted, request.header("if-none-match"));
        }
        const asset = page.assets.get(path.slice(assetsPath.length));
        if (asset === undefined) {
          throw new Problem("not-found", "the page has no such file, or no more: load it again");
        }
        return fileReply(asset, accepted, "public, max-age=31536000, immutable");
      },
    }),
  ];
}

/** Asked for again at each visit: it names the assets of the version that is installed. */
function indexReply(index: PageFile, accepted: string | undefined, known: string | undefined) {
  const reply = fileReply(index, accepted, "no-cache");
  const etag = `"${index.hash}.${encodingFor(accepted, index) ?? "plain"}"`;
  if (!namesTag(known, etag)) return { ...reply, headers: { ...reply.headers, etag } };
  return { status: 304 as const, headers: { etag, ...cachedFor("no-cache") } };
}

function fileReply(file: PageFile, accepted: string | undefined, cacheControl: string) {
  const encoding = encodingFor(accepted, file);
  const encoded = encoding && file.encoded.get(encoding);
  const headers: Record<string, string> = {
    ...security,
    ...cachedFor(cacheControl),
    ...(encoding !== undefined && { "content-encoding": encoding }),
  };
  const { contentType } = file;
  return { status: 200 as const, text: encoded ?? file.bytes, contentType, headers };
}

function cachedFor(cacheControl: string) {
  return { "cache-control": cacheControl, vary: "accept-encoding" };
}
