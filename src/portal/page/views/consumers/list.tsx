/** Readers whose place in the log is kept by the gateway. */
import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showCount } from "../../parts/number.ts";
import { PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { liveMs } from "../../query.ts";
import type { TenantView } from "../view.ts";
import { Headroom, showLag } from "./lag.tsx";
import { NewConsumer } from "./new-consumer.tsx";

type Consumer = Schemas["Consumer"];

export const Consumers: TenantView = ({ tenant }) => {
  const to = tenantAddresses(tenant);
  const [, go] = useLocation();
  const [isCreating, setCreating] = useState(false);
  const pages = usePages({
    key: ["consumers", tenant],
    load: (cursor, signal) => {
      const query = { tenant, ...(cursor !== undefined && { cursor }) };
      return read(api.GET("/consumers", { params: { query }, signal }));
    },
    everyMs: liveMs,
  });
  const { data, error, refetch } = pages;
  const consumers = data?.pages.flatMap((page) => page.consumers);
  const create = (
    <Button look="main" onPress={() => setCreating(true)}>
      Create a consumer
    </Button>
  );
  return (
    <>
      <PageHead
        title="Consumers"
        lead="A named consumer reads by pull, and the gateway keeps its place: it acknowledges what it has processed."
        actions={create}
      />
      <div class="stack">
        {error !== null && <ProblemNote error={error} retry={refetch} />}
        {consumers === undefined && error === null && <Loading />}
        {consumers !== undefined && (
          <section class="card">
            {consumers.length === 0 ? (
              <Empty title="No consumers">
                A program of yours that reads events one page after the other needs no database for
                its place: give it a name here. {create}
              </Empty>
            ) : (
              <ConsumerTable consumers={consumers} tenant={tenant} />
            )}
            <LoadMore {...pages} />
          </section>
        )}
      </div>
      {isCreating && (
        <NewConsumer
          tenant={tenant}
          onClose={() => setCreating(false)}
          onCreated={(name) => go(to.consumer(name))}
        />
      )}
    </>
  );
};

function ConsumerTable({ consumers, tenant }: { consumers: readonly Consumer[]; tenant: string }) {
  const to = tenantAddresses(tenant);
  return (
    <Table
      caption="Consumers by name"
      rows={consumers}
      rowKey={({ name }) => name}
      columns={[
        {
          name: "Name",
          cell: ({ name }) => (
            <Link href={to.consumer(name)} class="endless">
              {name}
            </Link>
          ),
        },
        {
          name: "Reads",
          cell: ({ types, subjects }) => (
            <span class="endless">
              {types === null ? "All types" : types.join(", ")}
              {subjects !== null && (
                <>
                  {" of "}
                  <bdi>{subjects.join(", ")}</bdi>
                </>
              )}
            </span>
          ),
        },
        { name: "Behind", cell: ({ lag }) => showLag(lag) },
        {
          ...{ name: "Position", number: true },
          cell: ({ position }) => showCount(Number(position)),
        },
        { name: "Until events are lost", cell: (consumer) => <Headroom {...consumer} /> },
      ]}
    />
  );
}
