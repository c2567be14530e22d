import { defineConfig } from "drizzle-kit";

/**
 * `npm run migration` writes what the schema files changed as the next file of drizzle/. Partitions and
 * functions are not in the schema: `npm run migration -- --custom` opens an empty file for them.
 */
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/db/*schema.ts",
  out: "./drizzle",
});
