/**
 * Events in every form in which the API takes them: what is kept of them for good, as test/golden
 * shows. Add to the end and record again (record.ts): the newest fixture holds all of them.
 *
 * Bodies are text, since what JSON.stringify would write is only a part of what producers send.
 */

export type Sample = {
  readonly name: string;
  readonly tenant: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const json = { "content-type": "application/json" };

/** Small enough to be read here, large enough that Postgres keeps it apart from its row. */
const largeItems = 1_000;

const large = Array.from({ length: largeItems }, (_, n) => `{"n":${n}.0,"é":"${n % 97} → 🚀"}`);

const levels = 64;

/** Sent in this order; `nextDay` stands where the log's day changes. */
export const samples: readonly (Sample | "nextDay")[] = [
  one("minimal", '{"type":"order.created","data":{}}'),
  one(
    "all members",
    `{"type":"order.shipped","source":"https://shop.example/orders?a=1&b=%20","subject":"order_1042",
      "time":"2026-11-23T13:00:00.123456+02:00","dataversion":"2026-01","key":"shipment-1",
      "data":{"amount":4200,"lines":[{"sku":"A-1","count":2},null,true,false]}}`,
  ),
  one(
    "unicode as it is",
    '{"type":"order.created","subject":"Füße → 🚀 \u2028","source":"/%C3%A9","dataversion":"ü",' +
      '"data":"ÿ Ā → 🚀 \u007f\u0085\u2028\u2029\ufeff\ufffd\uffff\u{10ffff} <&\'>"}',
  ),
  one(
    "escapes",
    String.raw`{"type":"order.created","subject":"\u0041\"\\\/\ud83d\ude80","source":"a\/b?\u0061",` +
      String.raw`"data":{"\u0061\"":"\u0000\ud800\udfff\u00e9\b\f\n\r\t\/\\\" \u2028 \\n"}}`,
  ),
  one(
    "numbers",
    '{"type":"n","data":[0,-0,1.0,-1.50,1e400,-1E-400,1e+2,12345678901234567890,0.1000,5e-324]}',
  ),
  one("repeated names", '{"type":"n","data":{"a":1,"a":{"a":2,"a":3},"\\u0061":4,"":5,"":6}}'),
  one("names of prototypes", '{"type":"n","data":{"__proto__":{"a":1},"constructor":[],"x":{}}}'),
  one("white space", '{ "data" :\r\n\t[ 1 , { "a b" : " c  d " } , [ ] ] , "type" : "n" }\n'),
  one("a number", '{"type":"n","data":-0.0}'),
  one("null", '{"type":"n","data":null}'),
  one("text", '{"type":"n","data":""}'),
  one("levels", `{"type":"n","data":${"[".repeat(levels)}${"]".repeat(levels)}}`),
  "nextDay",
  one("large", `{"type":"order.imported","subject":"large","data":[${large.join(",")}]}`),
  one("an idempotency key", '{"type":"n","data":1}', { "idempotency-key": '"key 1"' }),
  one(
    "a batch",
    `{"events":[{"type":"order.created","data":1.0},{"data":{"b":[]},"type":"a.b.c_D9"},
      {"type":"order.created","subject":"é\\u00e9","data":"\\u00e9é"}]}`,
  ),
  one("another tenant", '{"type":"order.created","data":{"of":"another"}}', {}, "Globex-1.eu_west"),

  cloudEvent("a CloudEvent", {
    body: '{"specversion":"1.0","id":"ce-1","source":"/shop","type":"order.created","data":{"a":1.0}}',
  }),
  cloudEvent("a CloudEvent with all members", {
    body: String.raw`{"specversion":"1.0","id":"ce-2","source":"https://shop.example/","type":
      "com.example.order","subject":"Füße \u2028","time":"2026-11-23T13:00:00.5-05:30",
      "datacontenttype":"application/vnd.example+json; charset=utf-8","dataschema":
      "https://shop.example/schema#1","traceparent":
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","ext1":"a\"\\é","ext2":-42,
      "ext3":true,"data":[1E400,{"a":1,"a":2}]}`,
  }),
  cloudEvent("a CloudEvent without data", {
    body: '{"specversion":"1.0","id":"ce-3","source":"/shop","type":"order.seen"}',
  }),
  cloudEvent("a CloudEvent of bytes", {
    body: `{"specversion":"1.0","id":"ce-4","source":"/shop","type":"order.scanned",
      "datacontenttype":"image/png","data_base64":"iVBORw0KGgo="}`,
  }),
  cloudEvent("a CloudEvent of text", {
    body: `{"specversion":"1.0","id":"ce-5","source":"/shop","type":"order.noted",
      "datacontenttype":"text/plain","data":"two\\nlines"}`,
  }),
  cloudEvent("a batch of CloudEvents", {
    type: "application/cloudevents-batch+json",
    body: `[{"specversion":"1.0","id":"ce-6","source":"/shop","type":"order.created","data":1.0},
      {"specversion":"1.0","id":"ce-7","source":"/shop","type":"order.seen","ext":"x"}]`,
  }),
  binary("binary JSON", "ce-8", "application/json", ' { "a" : 1.0 , "a" : 1e400 } '),
  binary("binary bytes", "ce-9", "application/octet-stream", "\u0001\u007f bytes é"),
  binary("binary text", "ce-10", "text/plain; charset=utf-8", 'Füße "→" 🚀\r\n'),
  {
    name: "lines",
    tenant: "acme",
    headers: { "content-type": "application/x-ndjson" },
    body:
      '{"type":"order.created","data":1.0}\n{ "data" : { "é" : [ ] } , "type":"order.created"}\r\n' +
      '{"type":"order.created","subject":"\\u2028","data":"\u2028"}',
  },
];

/** Appends all of them; gives the names of those that were refused, with the answers. */
export async function appendSamples(
  url: string,
  operatorKey: string,
  nextDay: () => Promise<void>,
): Promise<string[]> {
  const authorization = `Bearer ${operatorKey}`;
  const refused: string[] = [];
  const names = new Set(samples.flatMap((sample) => (sample === "nextDay" ? [] : [sample.tenant])));
  for (const tenant of names) {
    await fetch(`${url}/tenants/${tenant}`, { method: "PUT", headers: { authorization } });
  }
  for (const sample of samples) {
    if (sample === "nextDay") {
      await nextDay();
      continue;
    }
    const { name, tenant, body } = sample;
    const headers = { ...sample.headers, authorization };
    const response = await fetch(`${url}/events?tenant=${tenant}`, {
      method: "POST",
      headers,
      body,
    });
    const text = await response.text();
    if (response.status >= 300 || text.includes('"problem"')) refused.push(`${name}: ${text}`);
  }
  return refused;
}

function one(name: string, body: string, headers = {}, tenant = "acme"): Sample {
  return { name, tenant, headers: { ...json, ...headers }, body };
}

function cloudEvent(name: string, { type = "application/cloudevents+json", body = "" }): Sample {
  return { name, tenant: "acme", headers: { "content-type": type }, body };
}

function binary(name: string, id: string, type: string, body: string): Sample {
  const headers = {
    "content-type": type,
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": "/shop",
    "ce-type": "order.created",
    "ce-subject": "F%C3%BC%C3%9Fe %22",
    "ce-ext": "x y",
  };
  return { name, tenant: "acme", headers, body };
}
