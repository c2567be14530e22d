import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

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
    // Tests mostly wait: for leases, retries, the starts of processes. Two of them at a time use a
    // third of two cores (measured), three of them less than a half, which leaves deadlines room.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // As `waitUntil`: Vitest's own second is short for a process that starts or ends.
    expect: { poll: { timeout: 5_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
  },
});
