/** One row of the benchmark: something measured on the gateway and, beside it, bare. */
import type { Measured } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side, SideOptions } from "../side.ts";
import type { Turns } from "../turns.ts";

export type Row = {
  /** By which it is called on the command line. */
  readonly name: string;
  readonly what: string;
  /** One of those that are measured when none is named. */
  readonly core?: true;
  /** What its turns take of what they take by default: how long they are, and how many. */
  readonly effort?: { readonly seconds?: number; readonly rounds?: number };
  /** How its gateways have to be configured. */
  readonly side?: SideOptions;
  measure(rig: Rig, turns: Turns): Promise<Measured>;
};

/** Where the gateway is and as whom, for the workers. */
export function siteOf({ gateway, operatorKey }: Side, tenant: { name: string }) {
  return { url: gateway.url, key: operatorKey, tenant: tenant.name };
}
