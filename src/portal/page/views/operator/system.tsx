/** The gateway itself: processes, shards, housekeeping, replays, storage. */
import { Link } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import type { Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Loading } from "../../parts/loading.tsx";
import { showBytes, showCount, showMany } from "../../parts/number.ts";
import { Card, Facts, PageHead, Stats } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago, showDuration } from "../../parts/time.tsx";
import { Failing, TooLong } from "./failing.tsx";
import { HealthState, Shards } from "./health.tsx";
import { TenantLink } from "./links.tsx";
import { useSystem } from "./use-system.ts";

type System = Schemas["System"];

export function System() {
  const { data, error, refetch } = useSystem();
  return (
    <div class="stack">
      <PageHead
        title="System"
        lead={
          data === undefined ? undefined : (
            <>
              As of <Ago at={data.as_of} />, by one process.
            </>
          )
        }
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && <Parts system={data} />}
    </div>
  );
}

function Parts({ system }: { system: System }) {
  const { tenants, endpoints, consumers, storage } = system;
  return (
    <>
      <Stats
        stats={[
          { label: "Tenants", value: tenants === null ? "–" : showCount(tenants.total) },
          { label: "Endpoints", value: endpoints === null ? "–" : showCount(endpoints.total) },
          { label: "Consumers", value: consumers === null ? "–" : showCount(consumers) },
          { label: "Database", value: storage === null ? "–" : showBytes(storage.bytes) },
        ]}
      />
      <div class="grid-2">
        <Process system={system} />
        <Pushing system={system} />
      </div>
      <PushProcesses processes={system.push_processes} answering={system.process.id} />
      <Failing endpoints={endpoints} />
      <Replays replays={system.replays} />
      <Housekeeping housekeeping={system.housekeeping} />
      <Storage storage={storage} />
    </>
  );
}

function Process({ system }: { system: System }) {
  const { process, migrations } = system;
  const { fanout } = process;
  return (
    <Card title="The process that answers">
      <Facts
        facts={[
          ["Health", <HealthState key="health" system={system} />],
          ["Process", <code key="id">{process.id}</code>],
          ["Version", process.version],
          ["Roles", process.roles.join(", ")],
          ["Up for", showDuration(process.uptime_seconds * 1_000)],
          [
            "Fan-out",
            <span key="fanout" class="row">
              {fanout.kind === "nats" ? "JetStream" : "in this process"}
              <Badge state={fanout.state} />
              <span class="soft">
                since <Ago at={fanout.since} />
              </span>
            </span>,
          ],
          [
            "Migrations",
            migrations === null
              ? "not known"
              : `${migrations.applied} of ${migrations.known} applied`,
          ],
        ]}
      />
    </Card>
  );
}

function Pushing({ system: { process, shards } }: { system: System }) {
  const { push } = process;
  if (push === null) {
    return (
      <Card title="Pushing">
        <p class="soft">This process has only the role of the API. Others push.</p>
        <Facts facts={[["Shards", <Shards key="shards" shards={shards} />]]} />
      </Card>
    );
  }
  const { endpoints } = push;
  return (
    <Card title="Pushing">
      <Facts
        facts={[
          ["Shards", <Shards key="shards" shards={shards} />],
          ["Here", showMany(push.shards_held, "shard")],
          [
            "In flight",
            `${showMany(push.in_flight, "attempt")}, ${showCount(push.slots_used)} of ${showCount(push.slots)} slots`,
          ],
          [
            "Endpoints",
            `${showCount(endpoints.live)} live, ${showCount(endpoints.lagging)} lagging, ${showCount(endpoints.held)} held, ${showCount(endpoints.idle)} idle`,
          ],
          ["Oldest that waits", showDuration(push.backlog_age_seconds * 1_000)],
          ["Retries due", showCount(push.retries_due)],
          ["Outcomes not written yet", showCount(push.outcomes_unwritten)],
        ]}
      />
    </Card>
  );
}

function PushProcesses(props: { processes: System["push_processes"]; answering: string }) {
  const { processes, answering } = props;
  if (processes === null) return <TooLong title="Push processes" />;
  return (
    <Card title="Push processes" flush>
      {processes.length === 0 ? (
        <Empty title="Nobody pushes">Start a process with the role push.</Empty>
      ) : (
        <Table
          caption="Processes that push"
          rows={processes}
          rowKey={({ id }) => id}
          columns={[
            {
              name: "Process",
              cell: ({ id }) => (
                <span class="row">
                  <code>{id}</code>
                  {id === answering && <span class="soft">this one</span>}
                </span>
              ),
            },
            { name: "Shards", number: true, cell: ({ shards }) => showCount(shards.length) },
            { name: "Leases renewed", cell: ({ renewed_at: at }) => <Ago at={at} /> },
            {
              name: "State",
              cell: ({ leaving }) => (
                <Badge state={leaving ? "leaving" : "up"} tone={leaving ? "warn" : "ok"} />
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}

function Replays({ replays }: { replays: System["replays"] }) {
  if (replays === null) return <TooLong title="Replays" />;
  return (
    <Card title="Replays that are running" flush>
      {replays.newest.length === 0 ? (
        <Empty title="No replay is running">
          Replays are started at an endpoint, and send again what it missed.
        </Empty>
      ) : (
        <Table
          caption="Replays that are running, the newest first"
          rows={replays.newest}
          rowKey={({ id }) => id}
          columns={[
            {
              name: "Replay",
              cell: ({ id, tenant }) => <Link href={tenantAddresses(tenant).replay(id)}>{id}</Link>,
            },
            { name: "Tenant", cell: ({ tenant }) => <TenantLink tenant={tenant} /> },
            { name: "Of", cell: ({ deliveries }) => deliveries },
            {
              name: "Sent",
              number: true,
              cell: ({ sent, total }) =>
                total === null ? showCount(sent) : `${showCount(sent)} of ${showCount(total)}`,
            },
            { name: "Failed", number: true, cell: ({ failed }) => showCount(failed) },
            { name: "Waits for", cell: ({ waiting_for: cause }) => cause ?? "" },
          ]}
        />
      )}
    </Card>
  );
}

function Housekeeping({ housekeeping }: { housekeeping: System["housekeeping"] }) {
  if (housekeeping === null) return <TooLong title="Housekeeping" />;
  const { chores, here, kept_by: keeper } = housekeeping;
  return (
    <Card
      title="Housekeeping"
      flush
      actions={<span class="soft">{keeperInWords(keeper, here)}</span>}
    >
      <Table
        caption="Chores that one process does for all"
        rows={chores}
        rowKey={({ name }) => name}
        columns={[
          { name: "Chore", cell: ({ name }) => name },
          { name: "Every", cell: ({ every_seconds: every }) => showDuration(every * 1_000) },
          {
            name: "Last run",
            cell: ({ last_done_at: at }) => (at === null ? "not by this process" : <Ago at={at} />),
          },
          {
            name: "Took",
            number: true,
            cell: ({ last_duration_ms: ms }) => (ms === null ? "" : showDuration(ms)),
          },
          {
            name: "Outcome",
            cell: ({ last_outcome: outcome, failing_since: since }) =>
              outcome !== null && (
                <span class="row">
                  <Badge state={outcome} />
                  {since !== null && (
                    <span>
                      since <Ago at={since} />
                    </span>
                  )}
                </span>
              ),
          },
        ]}
      />
    </Card>
  );
}

function keeperInWords(keeper: string | null, here: boolean): string {
  if (keeper === null) return "nobody keeps house at the moment";
  return here ? "kept by this process" : `kept by ${keeper}, whose own answer tells of its runs`;
}

function Storage({ storage }: { storage: System["storage"] }) {
  if (storage === null) return <TooLong title="Storage" />;
  return (
    <Card
      title="Storage"
      flush
      actions={<span class="soft">events since {storage.oldest_day ?? "the beginning"}</span>}
    >
      <Table
        caption="Tables"
        rows={storage.tables}
        rowKey={({ table }) => table}
        columns={[
          { name: "Table", cell: ({ table }) => <code>{table}</code> },
          { name: "Size", number: true, cell: ({ bytes }) => showBytes(bytes) },
          { name: "Rows, about", number: true, cell: ({ rows_estimate: rows }) => showCount(rows) },
          { name: "Partitions", number: true, cell: ({ partitions }) => showCount(partitions) },
        ]}
      />
    </Card>
  );
}
