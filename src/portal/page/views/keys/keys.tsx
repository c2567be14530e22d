/** The keys that call the API for a tenant. */
import { useState } from "preact/hooks";
import { useQueryClient } from "@tanstack/preact-query";
import { api, read, type Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { LoadMore, usePages } from "../../parts/pages.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Ago, Moment, useNow } from "../../parts/time.tsx";
import { toast } from "../../parts/toast.ts";
import { useWho } from "../../shell/who.tsx";
import type { TenantView } from "../view.ts";
import { NewKeyDialog } from "./new-key.tsx";

type Key = Schemas["Key"];

export const Keys: TenantView = ({ tenant }) => {
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<Key>();
  const pages = usePages({
    key: ["keys", tenant],
    load: (cursor, signal) => {
      const query = { tenant, ...(cursor !== undefined && { cursor }) };
      return read(api.GET("/keys", { params: { query }, signal }));
    },
  });
  const { data, error, refetch } = pages;
  const keys = data?.pages.flatMap((page) => page.keys) ?? [];
  const create = (
    <Button look="main" onPress={() => setCreating(true)}>
      New key
    </Button>
  );
  return (
    <>
      <PageHead
        title="API keys"
        lead="With a key your programs append, read and manage this tenant's events. Each has only the scopes that you give it."
        actions={create}
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <Card flush>
          {keys.length === 0 ? (
            <Empty title="No keys yet">
              Create one for each program that calls the API, with the scopes that it needs and no
              more: what appends events needs “append”, what reads them “read”.
            </Empty>
          ) : (
            <KeyTable keys={keys} onRevoke={setRevoked} />
          )}
          <LoadMore {...pages} />
        </Card>
      )}
      {isCreating && <NewKeyDialog tenant={tenant} onClose={() => setCreating(false)} />}
      {revoked !== undefined && (
        <RevokeDialog tenant={tenant} revoked={revoked} onClose={() => setRevoked(undefined)} />
      )}
    </>
  );
};

function KeyTable({ keys, onRevoke }: { keys: readonly Key[]; onRevoke: (key: Key) => void }) {
  const who = useWho();
  return (
    <Table
      caption="API keys, the oldest first"
      rows={keys}
      rowKey={({ id }) => id}
      columns={[
        {
          name: "Key",
          cell: ({ id, description }) => (
            <>
              {description !== null && <bdi>{description}</bdi>}
              {id === who.id && <strong> (this page's key)</strong>}
              <div>
                <code class="soft wrap">{id}</code>
              </div>
            </>
          ),
        },
        { name: "Scopes", cell: ({ scopes }) => scopes.join(", ") },
        { name: "Created", cell: ({ created_at: at }) => <Ago at={at} /> },
        { name: "Ends", cell: ({ expires_at: at }) => <Ends at={at} /> },
        {
          name: "",
          cell: (key) => (
            <Button
              small
              look="danger"
              label={`Revoke ${key.description ?? key.id}`}
              onPress={() => onRevoke(key)}
            >
              Revoke
            </Button>
          ),
        },
      ]}
    />
  );
}

function Ends({ at }: { at: string | null }) {
  const now = useNow();
  if (at === null) return <span class="soft">never</span>;
  if (Date.parse(at) > now) return <Ago at={at} />;
  return (
    <span class="bad-text">
      ended <Ago at={at} />
    </span>
  );
}

function RevokeDialog(props: { tenant: string; revoked: Key; onClose: () => void }) {
  const { tenant, revoked, onClose } = props;
  const who = useWho();
  const queries = useQueryClient();
  const revoke = async () => {
    const params = { path: { id: revoked.id }, query: { tenant } };
    await read(api.DELETE("/keys/{id}", { params }));
    toast.done("The key is revoked");
    onClose();
    void queries.invalidateQueries({ queryKey: ["keys", tenant] });
  };
  return (
    <Dialog
      title="Revoke the key"
      onClose={onClose}
      actions={
        <Button look="danger" onPress={revoke}>
          Revoke
        </Button>
      }
    >
      <p>
        <bdi>{revoked.description ?? ""}</bdi> <code>{revoked.id}</code>, created{" "}
        <Moment at={revoked.created_at} />
      </p>
      <p>
        Every request with it is refused at once, and its open streams are closed within seconds.
        This cannot be undone: whatever uses it needs another key.
      </p>
      {revoked.id === who.id && (
        <p class="note warn">
          This is the key of the page that you are looking at: it signs you out.
        </p>
      )}
    </Dialog>
  );
}
