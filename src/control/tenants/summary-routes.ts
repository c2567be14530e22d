/** How a tenant's endpoints stand, in sum, as `/tenants` and `/limits` show it. */
import { z } from "zod";

const some = z.int().min(0);

export const summaryExample = {
  total: 3,
  active: 2,
  paused: 0,
  polling: 0,
  disabled: 1,
  circuits: { closed: 2, open: 1, half_open: 0 },
};

export const shownSummary = z
  .object({
    total: some,
    active: some,
    paused: some,
    polling: some,
    disabled: some,
    circuits: z
      .object({ closed: some, open: some, half_open: some })
      .meta({ description: "Of all endpoints, whatever their status is" }),
  })
  .meta({
    id: "EndpointSummary",
    description: "How many endpoints there are, and how they stand",
    example: summaryExample,
  });
