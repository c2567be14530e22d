/** All tenants, page by page, with how their endpoints stand. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { errorAt, TextField } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Moment } from "../../parts/time.tsx";
import { toast } from "../../parts/toast.ts";
import { TenantLink } from "./links.tsx";
import { SearchBox } from "./search-box.tsx";

type Tenant = Schemas["Tenant"];

export function Tenants() {
  const [isCreating, setCreating] = useState(false);
  const pages = usePages({
    key: ["tenants"],
    load: (cursor, signal) => read(api.GET("/tenants", { params: { query: { cursor } }, signal })),
  });
  const tenants = pages.data?.pages.flatMap((page) => page.tenants);
  return (
    <div class="stack">
      <PageHead
        title="Tenants"
        lead="Each has a log of its own, and nobody sees another's."
        actions={
          <Button look="main" onPress={() => setCreating(true)}>
            New tenant
          </Button>
        }
      />
      <SearchBox />
      {pages.error !== null && <ProblemNote error={pages.error} retry={pages.refetch} />}
      {tenants === undefined && pages.error === null && <Loading />}
      {tenants?.length === 0 && (
        <Empty title="There is no tenant yet">
          A tenant is one of your customers. Events are appended for it, and it receives them.
        </Empty>
      )}
      {tenants !== undefined && tenants.length > 0 && (
        <Card flush>
          <TenantTable tenants={tenants} />
          <LoadMore {...pages} />
        </Card>
      )}
      {isCreating && <NewTenant onClose={() => setCreating(false)} />}
    </div>
  );
}

function TenantTable({ tenants }: { tenants: readonly Tenant[] }) {
  return (
    <Table
      caption="Tenants by name"
      rows={tenants}
      rowKey={({ tenant }) => tenant}
      columns={[
        { name: "Tenant", cell: ({ tenant }) => <TenantLink tenant={tenant} /> },
        { name: "Name", cell: ({ name }) => <bdi class="wrap">{name ?? ""}</bdi> },
        { name: "Status", cell: ({ status }) => <Badge state={status} /> },
        { name: "Endpoints", number: true, cell: ({ endpoints }) => showCount(endpoints.total) },
        { name: "Not well", cell: ({ endpoints }) => <NotWell endpoints={endpoints} /> },
        { name: "Created", cell: ({ created_at: at }) => <Moment at={at} /> },
      ]}
    />
  );
}

function NotWell({ endpoints: { circuits, disabled } }: { endpoints: Tenant["endpoints"] }) {
  const open = circuits.open + circuits.half_open;
  return (
    <span class="row">
      {open > 0 && (
        <Badge
          state="open"
          text={`${showCount(open)} ${open === 1 ? "circuit" : "circuits"} open`}
        />
      )}
      {disabled > 0 && <Badge state="disabled" text={`${showCount(disabled)} disabled`} />}
    </span>
  );
}

function NewTenant({ onClose }: { onClose: () => void }) {
  const [tenant, setTenant] = useState("");
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>();
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const create = async () => {
    setError(undefined);
    try {
      const body = name === "" ? {} : { name };
      await read(api.PUT("/tenants/{tenant}", { params: { path: { tenant } }, body }));
      toast.done(`Tenant ${tenant} is there`);
      void queries.invalidateQueries({ queryKey: ["tenants"] });
      navigate(tenantAddresses(tenant).overview);
    } catch (failure) {
      setError(failure);
      throw failure;
    }
  };
  return (
    <Dialog
      title="New tenant"
      onClose={onClose}
      actions={
        <Button look="main" disabled={!/^[\w.-]{1,128}$/.test(tenant)} onPress={create}>
          Create
        </Button>
      }
    >
      <TextField
        label="Tenant"
        value={tenant}
        onValue={setTenant}
        hint="What requests call it by: letters, digits, and . _ - (up to 128). It stays."
      />
      <TextField
        label="Name for people"
        value={name}
        onValue={setName}
        hint="Can be left empty."
        error={errorAt(error, "/name")}
      />
    </Dialog>
  );
}
