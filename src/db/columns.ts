/** Column types that drizzle spells out each time. */
import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** Up to 2^53: sequences and times. */
export const number = (name: string) => bigint(name, { mode: "number" });
