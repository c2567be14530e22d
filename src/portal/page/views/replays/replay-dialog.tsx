/** Asks what of an endpoint's deliveries is to be made again, and starts it. */
import { useQueryClient } from "@tanstack/preact-query";
import { useId, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { ApiError, api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { EndpointLink, useEndpoints } from "../../parts/endpoints.tsx";
import { errorAt, TextField } from "../../parts/field.tsx";
import { showCount } from "../../parts/number.ts";
import { anyTime, boundsOf, RangeFields, type Range } from "../../parts/range.tsx";
import { toast } from "../../parts/toast.ts";
import { isCountable, useCount, type Wanted } from "./count.ts";
import { kindNames, kindWords, type Kind } from "./words.ts";
import "./replays.css";

export type ReplayDialogProps = {
  tenant: string;
  /** Its id. */
  endpoint: string;
  initial?: { status?: Kind; since?: string; until?: string; types?: readonly string[] };
  onClose: () => void;
};

type Form = { readonly status: Kind; readonly range: Range; readonly types: string };

export function ReplayDialog({ tenant, endpoint, initial = {}, onClose }: ReplayDialogProps) {
  const [form, setForm] = useState<Form>(() => begin(initial));
  const change = (patch: Partial<Form>) => setForm({ ...form, ...patch });
  const { start, error } = useStart(tenant, endpoint, form);
  const endpoints = useEndpoints(tenant);
  return (
    <Dialog
      title="Replay deliveries"
      onClose={onClose}
      actions={
        <Button look="main" onPress={start}>
          Start the replay
        </Button>
      }
    >
      <p>
        To <EndpointLink id={endpoint} {...{ tenant, endpoints }} />. Each event is sent once more,
        in the order of the log, with the same bytes. A replay is paced and stays behind new events;
        it can be watched, and cancelled, on its own page.
      </p>
      <KindChoice value={form.status} onValue={(status) => change({ status })} />
      <div class="filters">
        <RangeFields
          label="Events appended"
          any="As far back as kept"
          value={form.range}
          onValue={(range) => change({ range })}
          errors={{ since: errorAt(error, "/since"), until: errorAt(error, "/until") }}
        />
      </div>
      <TextField
        label="Event types"
        hint="Separated by commas; order.* is all below order. Empty: all that the endpoint wants."
        value={form.types}
        onValue={(types) => change({ types })}
        error={errorAt(error, "/types")}
        mono
      />
      <WhatWillBe {...{ tenant, endpoint, form }} />
    </Dialog>
  );
}

/** Starts what the form says and goes to its page; what is wrong with the form is told at its fields. */
function useStart(tenant: string, endpoint: string, form: Form) {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [error, setError] = useState<ApiError>();
  const start = async () => {
    const params = { path: { id: endpoint }, query: { tenant } };
    const { types, ...wanted } = wantedBy(form, Date.now());
    const body = { ...wanted, ...(types === undefined ? {} : { types: [...types] }) };
    try {
      const replay = await read(api.POST("/endpoints/{id}/replays", { params, body }));
      toast.done("The replay was started");
      void queries.invalidateQueries({ queryKey: ["replays", tenant] });
      navigate(tenantAddresses(tenant).replay(replay.id));
    } catch (failure) {
      if (!(failure instanceof ApiError) || failure.status !== 422) throw failure;
      setError(failure);
    }
  };
  return { start, error };
}

function begin({ status = "dead", since = "", until = "", types = [] }: Partial<Wanted>): Form {
  return { status, range: { ...anyTime, since, until }, types: types.join(", ") };
}

function wantedBy({ status, range, types }: Form, now: number): Wanted {
  const named = types.split(/[\s,]+/).filter((type) => type !== "");
  return { status, ...boundsOf(range, now), ...(named.length === 0 ? {} : { types: named }) };
}

function KindChoice({ value, onValue }: { value: Kind; onValue: (kind: Kind) => void }) {
  const id = useId();
  return (
    <fieldset class="stack kinds">
      <legend>What is sent again</legend>
      {(["dead", "missing", "all"] as const).map((kind) => (
        <div key={kind} class="kind">
          <input
            type="radio"
            id={`${id}-${kind}`}
            name={id}
            checked={kind === value}
            aria-describedby={`${id}-${kind}-hint`}
            onChange={() => onValue(kind)}
          />
          <div>
            <label for={`${id}-${kind}`}>{kindNames[kind]}</label>
            <p id={`${id}-${kind}-hint`} class="soft small">
              {kindWords[kind]}
            </p>
          </div>
        </div>
      ))}
    </fieldset>
  );
}

/** To the minute, so that a range that ends now is not another question with each key typed. */
const countedByMs = 60_000;

function WhatWillBe(props: { tenant: string; endpoint: string; form: Form }) {
  const { tenant, endpoint, form } = props;
  const now = Math.floor(Date.now() / countedByMs) * countedByMs;
  const wanted = wantedBy(form, now);
  const counted = useCount(tenant, endpoint, wanted);
  return (
    <p class="note info" role="status">
      <span>{willBe(wanted, counted)}</span>
    </p>
  );
}

function willBe(wanted: Wanted, counted: ReturnType<typeof useCount>): string {
  if (wanted.status === "missing") {
    return "How many are missing is not known beforehand: the replay finds out on its way.";
  }
  if (!isCountable(wanted)) return "The replay counts them itself.";
  if (counted === undefined) return "Counting …";
  const { count, more } = counted;
  const what = wanted.status === "dead" ? "dead letter" : "event";
  if (count === 0) return `At the moment there is no ${what} that this would send.`;
  const number = more ? `More than ${showCount(count)}` : showCount(count);
  return `${number} ${what}${count === 1 ? "" : "s"} would be sent again.`;
}
