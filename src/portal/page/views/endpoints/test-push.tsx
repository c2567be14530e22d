/** A test event is sent, and what the receiver said to it is shown. */
import { useState } from "preact/hooks";
import { api, read, type Schemas } from "../../api.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { JsonBlock, TextBlock } from "../../parts/json.tsx";
import { Facts } from "../../parts/page.tsx";
import { Moment, showDuration } from "../../parts/time.tsx";
import { failureAdvice } from "./failure.ts";

type Tested = Schemas["TestedPush"];

export function TestPush({ tenant, id, url }: { tenant: string; id: string; url: string }) {
  const [tested, setTested] = useState<Tested>();
  const send = async () => {
    const params = { path: { id }, query: { tenant } };
    setTested(await read(api.POST("/endpoints/{id}/test", { params })));
  };
  return (
    <div class="stack">
      <p>
        Sends one signed push of type <code>tidegate.test</code> to{" "}
        <bdi class="mono endless">{url}</bdi>, whatever the endpoint's status is. It stands in no
        log and changes nothing.
      </p>
      <div>
        <Button look={tested === undefined ? "main" : "plain"} onPress={send}>
          {tested === undefined ? "Send a test event" : "Send another one"}
        </Button>
      </div>
      <div role="status">{tested !== undefined && <Answer tested={tested} />}</div>
    </div>
  );
}

function Answer({ tested: { delivered, attempt } }: { tested: Tested }) {
  const { at, latency_ms: latencyMs, status_code: status, error, request, response } = attempt;
  return (
    <div class="stack">
      <div class={`note ${delivered ? "info" : "bad"}`}>
        <h3>{delivered ? "The receiver accepted it" : "The receiver did not accept it"}</h3>
        {error !== null && (
          <p>
            <bdi>{error.message}</bdi>. {failureAdvice(error.class, status)}
          </p>
        )}
      </div>
      <Facts
        facts={[
          ["Outcome", <Badge state={delivered ? "delivered" : "failed"} />],
          ["Status", status === null ? "no response" : String(status)],
          ["Took", showDuration(latencyMs)],
          ["Sent", <Moment at={at} />],
        ]}
      />
      {response !== null && (
        <>
          <h3>Response</h3>
          <TextBlock text={headerLines(response.headers)} what="the response's headers" />
          {response.body === "" ? (
            <p class="soft">The response has no body.</p>
          ) : (
            <TextBlock text={response.body} what="the response's body" />
          )}
          {response.truncated && <p class="soft">Only the first 4 KiB of the body are kept.</p>}
        </>
      )}
      <details>
        <summary>What was sent</summary>
        <div class="stack">
          <TextBlock text={headerLines(request.headers)} what="the request's headers" />
          <JsonBlock text={request.body} what="the request's body" />
        </div>
      </details>
    </div>
  );
}

export function headerLines(headers: Readonly<Record<string, string | readonly string[]>>): string {
  return Object.entries(headers)
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}`))
    .join("\n");
}
