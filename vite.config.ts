/**
 * How `npm run build:portal` makes the portal's page: files with hashes, for one origin. For work on
 * the page, `npx vite` serves it from its sources, and asks the gateway at `TIDEGATE_URL` for all
 * that is not the page's.
 */
import { defineConfig } from "vite";

const gateway = process.env["TIDEGATE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: "src/portal/page",
  base: "/portal/",
  server: { host: "127.0.0.1", proxy: { "^/(?!portal(/|$)|@)": gateway } },
  build: {
    outDir: "../../../dist/page",
    emptyOutDir: true,
    // As old as `light-dark()` in style sheets, which the page uses.
    target: ["chrome123", "firefox120", "safari17.5"],
    // Everything is a file of its own: the policy allows no data in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
