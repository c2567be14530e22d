import { defineConfig } from "vitest/config";

/** Where CI wants the machine-readable report; unset everywhere else. */
const report = process.env["TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A template Postgres and a NATS server, started once and shared by all files.
    globalSetup: ["test/support/global-setup.ts"],
    // Holds every answer of our servers to openapi.yaml.
    setupFiles: ["test/support/contract-setup.ts"],
    // A process per file: the tests start servers, take signals and count open handles.
    pool: "forks",
    // Each file also loads Postgres and, in test/e2e, processes of ours: more workers than the
    // two cores of CI only make deadlines miss.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
  },
});
