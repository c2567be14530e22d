/** What a process counts on the paths of its requests and events; metrics.ts shows it. */
import type { Config } from "../config.ts";
import { createRequestCounts, type RequestCounts } from "../http/metrics.ts";
import { createAppendCounts, type AppendCounts } from "../log/metrics.ts";
import { createAttemptCounts, type AttemptCounts } from "../push/attempt-metrics.ts";
import { createTenantWatch, type TenantWatch } from "../telemetry/tenant-watch.ts";

export type Counts = {
  readonly watch: TenantWatch;
  readonly requests: RequestCounts;
  readonly appends: AppendCounts;
  readonly attempts: AttemptCounts;
};

export function createCounts({ metricsTenants, metricsPinnedTenants }: Config): Counts {
  const watch = createTenantWatch({ places: metricsTenants, pinned: metricsPinnedTenants });
  return {
    watch,
    requests: createRequestCounts(),
    appends: createAppendCounts(watch),
    attempts: createAttemptCounts(watch),
  };
}
