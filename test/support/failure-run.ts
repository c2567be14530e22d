/** What `npm run test:failures` tells the tests that it starts. */

/** Where rows go; unset when the tests run as part of `npm test`. */
export const rowsFile = process.env["TEST_FAILURE_ROWS"];

export const isFullRun = process.env["TEST_FAILURES_FULL"] === "1";
