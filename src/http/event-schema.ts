/** An event as it is handed out everywhere, for the document: nothing checks events against it. */
import { z } from "zod";
import { timestamp } from "./schemas.ts";

export const eventExample = {
  specversion: "1.0",
  id: "evt_2026-11-23_6f1c2a520b7e4d7d4129b5a1c07",
  source: "/tenants/acme",
  type: "order.created",
  time: "2026-11-23T12:00:00.000Z",
  subject: "order_1042",
  datacontenttype: "application/json",
  dataversion: "1",
  tenant: "acme",
  sequence: "00000000000000001042",
  data: { amount: 4_200 },
};

export const eventSchema = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    time: timestamp.meta({ description: "When it happened; the append time unless given" }),
    subject: z.string().optional(),
    datacontenttype: z.string().meta({ description: "The media type of the data" }),
    dataversion: z.string(),
    tenant: z.string(),
    sequence: z.string().length(20).meta({ description: "Dense per tenant" }),
    data: z.unknown().optional().meta({
      description: "As it was appended, token by token; an event may have none",
    }),
    data_base64: z.string().optional().meta({
      description: "In place of `data`, where that is neither JSON nor text",
    }),
  })
  .meta({
    id: "Event",
    description: "A CloudEvents 1.0 object; extensions are members of it",
    example: eventExample,
  });
