/** The version of the package. Not imported: it stands beside src, and beside what src becomes. */
import { createRequire } from "node:module";

export const { version } = createRequire(import.meta.url)("../../package.json") as {
  version: string;
};
