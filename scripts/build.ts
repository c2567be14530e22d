/**
 * `npm run build`: compiles src into dist, for the package. The gateway runs on the Node of this
 * repository; the library, compiled last, on any runtime, and it alone brings its types along.
 */
import { spawnSync } from "node:child_process";
import { globSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage } from "./portal.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

// The page stays where it is, since gateways may be starting from here.
await buildPage();
for (const name of globSync("dist/*", { cwd: root, exclude: ["dist/page"] })) {
  rmSync(join(root, name), { recursive: true, force: true });
}
for (const project of ["tsconfig.build.json", "tsconfig.client.json"]) {
  // As a script, since what stands in node_modules/.bin is no program on every system.
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [compiler, "-p", project], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
