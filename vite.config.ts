/**
 * How the portal's page is built; `npm run build:portal` does it, see scripts/portal.ts. For work on
 * the page, `npx vite` serves it from its sources, and asks the gateway at `TIDEGATE_URL` for all
 * that is not the page's.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const gateway = process.env["TIDEGATE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: fileURLToPath(new URL("src/portal/page", import.meta.url)),
  base: "/portal/",
  // What it is made of is imported, so that every name but index.html tells the content.
  publicDir: false,
  server: { host: "127.0.0.1", proxy: { "^/(?!portal(/|$)|@)": gateway } },
  build: {
    // As old as `light-dark()` in style sheets, which the page uses.
    target: ["chrome123", "firefox120", "safari17.5"],
    // The page's policy takes scripts, styles and fonts from the gateway only, none from its text.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Whoever reads the page's own text finds it in the package; maps would be most of its size.
    sourcemap: false,
  },
});
