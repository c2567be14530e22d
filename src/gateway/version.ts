import { createRequire } from "node:module";

/** Not imported: it stands beside src, and beside what src is compiled to. */
export const { version } = createRequire(import.meta.url)("../../package.json") as {
  version: string;
};

/** How pushes introduce themselves. */
export const userAgent = `Tidegate/${version}`;
