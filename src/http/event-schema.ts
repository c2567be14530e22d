/** An event as it is handed out everywhere, for the document: nothing checks events against it. */
import { z } from "zod";
import { timestamp } from "./schemas.ts";

export const eventSchema = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string().meta({ example: "evt_2026-11-23_6f1c2a520b7e4d7d4129b5a1c07" }),
    source: z.string().meta({ example: "/tenants/acme" }),
    type: z.string().meta({ example: "order.created" }),
    time: timestamp.meta({ description: "When it happened; the append time unless given" }),
    subject: z.string().optional().meta({ example: "order_1042" }),
    datacontenttype: z.literal("application/json"),
    dataversion: z.string().meta({ example: "1" }),
    tenant: z.string().meta({ example: "acme" }),
    sequence: z
      .string()
      .length(20)
      .meta({ description: "Dense per tenant", example: "00000000000000001042" }),
    data: z.unknown().meta({ description: "As it was appended, character by character" }),
  })
  .meta({ id: "Event", description: "A CloudEvents 1.0 object; extensions are members of it" });
