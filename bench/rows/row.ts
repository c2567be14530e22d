/** One row of the benchmark: something measured on the gateway and, beside it, bare. */
import type { Measured, Turns } from "../measure.ts";
import type { Rig } from "../rig.ts";

export type Row = {
  /** By which it is called on the command line. */
  readonly name: string;
  readonly what: string;
  measure(rig: Rig, turns: Turns): Promise<Measured>;
};

/** Where the gateway is and as whom, for the workers. */
export function siteOf(rig: Rig, tenant: { name: string }) {
  return { url: rig.gateway.url, key: rig.operatorKey, tenant: tenant.name };
}
