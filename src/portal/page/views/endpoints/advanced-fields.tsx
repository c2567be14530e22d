/** Settings that most endpoints never need. */
import { ChipsField } from "../../parts/chips.tsx";
import { Checkbox, errorAt, Select, TextField } from "../../parts/field.tsx";
import { PairsField } from "../../parts/pairs.tsx";
import type { FieldsProps, Form } from "./form.ts";
import { RetryFields } from "./retry-fields.tsx";

export function AdvancedFields(props: FieldsProps) {
  return (
    <div class="stack">
      <h3>What is sent</h3>
      <ContentFields {...props} />
      <h3>How fast, and in which order</h3>
      <PaceFields {...props} />
      <h3>When a push fails</h3>
      <RetryFields {...props} />
      <h3>Receipts</h3>
      <ReceiptFields {...props} />
      <h3>Signature and notes</h3>
      <OtherFields {...props} />
    </div>
  );
}

function ContentFields({ form, onForm, error }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      <ChipsField
        label="Subjects"
        placeholder="All subjects"
        values={form.subjects}
        onValues={(subjects) => set({ subjects })}
        hint="Only events with one of these exact subjects. All if there are none. Enter adds one."
        error={errorAt(error, "/subjects")}
      />
      <Select
        label="Format"
        value={form.format}
        onValue={(format) => set({ format: format as Form["format"] })}
        options={[
          ["json", "application/json (default)"],
          ["cloudevents", "application/cloudevents+json"],
        ]}
        hint="The media type of a push. The body is the same CloudEvents object."
        error={errorAt(error, "/format")}
      />
      <PairsField
        label="Headers"
        what="header"
        pairs={form.headers}
        onPairs={(headers) => set({ headers })}
        keptText="As it is; type to replace"
        hint="Added to every push, such as an authorization of the receiver. Values cannot be read back, only replaced or removed."
        error={errorAt(error, "/headers")}
      />
    </>
  );
}

function PaceFields({ form, onForm, error }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      <div class="grid-2">
        <TextField
          label="Time-out in seconds"
          type="number"
          value={form.timeoutSeconds}
          onValue={(timeoutSeconds) => set({ timeoutSeconds })}
          hint="From the connection to the end of the response, 1 to 30. Default 5."
          error={errorAt(error, "/timeout_ms")}
        />
        <TextField
          label="Pushes at once"
          type="number"
          value={form.maxInFlight}
          onValue={(maxInFlight) => set({ maxInFlight })}
          hint="How many may be under way, 1 to 1,000. Default 50."
          error={errorAt(error, "/max_in_flight")}
        />
        <TextField
          label="Pushes per second"
          type="number"
          value={form.rate}
          onValue={(rate) => set({ rate })}
          placeholder="No limit"
          hint="Retries included; what is beyond waits. Default: no limit."
          error={errorAt(error, "/rate_per_second")}
        />
        <Select
          label="Order"
          value={form.ordering}
          onValue={(ordering) => set({ ordering: ordering as Form["ordering"] })}
          options={[
            ["parallel", "None: many at once (default)"],
            ["subject", "By subject"],
            ["fifo", "Strict: one after the other"],
          ]}
          hint={orderingWords[form.ordering]}
          error={errorAt(error, "/ordering")}
        />
      </div>
    </>
  );
}

const orderingWords: Readonly<Record<Form["ordering"], string>> = {
  parallel: "Fastest. An event that fails holds up no other.",
  subject: "An event waits until the one before it with the same subject is delivered or dead.",
  fifo: "Each event waits until the one before it is delivered or dead: one failure holds up all.",
};

function ReceiptFields({ form, onForm, error }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      <Checkbox
        label="Wait for a receipt"
        checked={form.requireReceipt}
        onValue={(requireReceipt) => set({ requireReceipt })}
        hint="An accepted event counts as delivered only once your system has confirmed it by POST /receipts. It is pushed again when none comes. Default: no."
      />
      {form.requireReceipt && (
        <TextField
          label="Time for a receipt"
          value={form.receiptTimeout}
          onValue={(receiptTimeout) => set({ receiptTimeout })}
          hint="From 1s to 24h, such as 90s or 5m. Default 5m."
          error={errorAt(error, "/receipt_timeout_ms")}
        />
      )}
    </>
  );
}

function OtherFields({ form, onForm, error, isNew }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      {isNew && (
        <>
          <Select
            label="Signature"
            value={form.signature}
            onValue={(signature) => set({ signature: signature as Form["signature"] })}
            options={[
              ["v1", "v1: HMAC-SHA256 with a shared secret (default)"],
              ["v1a", "v1a: Ed25519 with a public key"],
            ]}
            hint="Every push is signed. With v1a the receiver keeps only a public key; fewer libraries know it."
            error={errorAt(error, "/signature")}
          />
          <TextField
            label="Secret"
            mono
            value={form.secret}
            onValue={(secret) => set({ secret })}
            placeholder="Made by the gateway"
            hint={`Only to bring one along: ${form.signature === "v1" ? "whsec_…" : "the private whsk_…"} of Standard Webhooks.`}
            error={errorAt(error, "/secret")}
          />
        </>
      )}
      <PairsField
        label="Metadata"
        what="note"
        pairs={form.metadata}
        onPairs={(metadata) => set({ metadata })}
        hint="Names and values of your own, such as a team. They are sent nowhere."
        error={errorAt(error, "/metadata")}
      />
    </>
  );
}
