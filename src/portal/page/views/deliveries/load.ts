/** Pages of deliveries, as lists show them. */
import { api, read, type Schemas } from "../../api.ts";
import { queryOf, type Filters } from "./filters.ts";

type Page = Schemas["DeliveryPage"];

const pageLimit = 50;

/** A page may be empty although more follows: where a filter finds little, so many are passed. */
const emptyPagesMax = 5;

export async function loadDeliveries(
  tenant: string,
  filters: Filters,
  cursor: string | undefined,
  { signal, limit = pageLimit }: { signal: AbortSignal; limit?: number },
): Promise<Page> {
  const asked = { tenant, ...queryOf(filters, Date.now()), limit };
  let page = await load(cursor);
  for (let passed = 0; isPassed(page) && passed < emptyPagesMax; passed += 1) {
    page = await load(page.cursor ?? undefined);
  }
  return page;

  function load(after: string | undefined): Promise<Page> {
    const query = after === undefined ? asked : { ...asked, cursor: after };
    return read(api.GET("/deliveries", { params: { query }, signal }));
  }
}

function isPassed({ deliveries, has_more: more }: Page): boolean {
  return deliveries.length === 0 && more;
}
