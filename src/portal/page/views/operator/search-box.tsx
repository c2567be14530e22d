/** Finds whatever somebody asks about: it goes to the search's page with what was typed. */
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { operator } from "../../addresses.ts";
import { Button } from "../../parts/button.tsx";
import { TextField } from "../../parts/field.tsx";

export function SearchBox({ initial = "" }: { initial?: string }) {
  const [q, setQ] = useState(initial);
  const [, navigate] = useLocation();
  return (
    <form
      role="search"
      class="filters search-box"
      onSubmit={(event) => {
        event.preventDefault();
        if (q.trim() !== "") navigate(operator.search(q.trim()));
      }}
    >
      <TextField
        label="Find an event, a delivery, an endpoint, a tenant"
        type="search"
        value={q}
        onValue={setQ}
        placeholder="evt_…, dlv_…, ep_…, a host, a name"
      />
      <Button type="submit">Search</Button>
    </form>
  );
}
