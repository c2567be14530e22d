/**
 * A live feed on a web page. The key stays on this server, and here is where to ask who is looking
 * on: the page gets a ticket for what it may see, and reads the stream from the gateway with it.
 *
 *   KEY=tg_… node browser.js, then open http://localhost:3001. The gateway has to take calls from
 *   there: TIDEGATE_CORS_ORIGINS=http://localhost:3001
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

/** Where browsers reach the gateway; and a tenant, where the key is an operator's. */
const { URL: gateway = "http://127.0.0.1:8080", KEY, TENANT, PORT = 3001 } = process.env;

createServer(async (request, response) => {
  try {
    if (request.url === "/") {
      const page = await readFile(new URL("browser.html", import.meta.url));
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    } else if (request.method === "POST" && request.url === "/ticket") {
      // With `types` and `subjects` it would be for some events only.
      const ticket = await makeTicket({ tenant: TENANT, ttl_seconds: 3600 });
      const stream = `${gateway}/events/stream?ticket=${ticket}`;
      const headers = { "content-type": "application/json", "cache-control": "no-store" };
      response.writeHead(200, headers).end(JSON.stringify({ stream }));
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    // The page asks again by itself.
    console.error(error.message);
    response.writeHead(503, { "retry-after": "5" }).end();
  }
}).listen(PORT);

async function makeTicket(wanted) {
  const answer = await fetch(`${gateway}/tickets`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify(wanted),
  });
  if (!answer.ok) throw new Error(`no ticket: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).ticket;
}
