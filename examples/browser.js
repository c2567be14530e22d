/**
 * A live feed on a web page. The key stays on this server: the page reads the stream from here, and
 * here is also where to ask who is looking on, and which tenant is theirs.
 *
 *   KEY=tg_… TENANT=acme node browser.js, then open http://localhost:3001
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const { URL: gateway = "http://127.0.0.1:8080", KEY, TENANT, PORT = 3001 } = process.env;

createServer(async (request, response) => {
  try {
    if (request.url === "/") {
      const page = await readFile(new URL("browser.html", import.meta.url));
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    } else if (request.url === "/feed") {
      await relay(request, response);
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    // The page has gone, or the gateway has: then the page comes again by itself.
    if (!response.headersSent) response.writeHead(503, { "retry-after": "2" });
    response.end();
    if (!response.closed) console.error(error.message);
  }
}).listen(PORT);

async function relay(request, response) {
  const query = new URLSearchParams({ from: "latest", ...(TENANT && { tenant: TENANT }) });
  // Sent by the browser when it connects again: the cursor after the last event it has seen.
  const last = request.headers["last-event-id"];
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const stream = await fetch(`${gateway}/events/stream?${query}`, {
    headers: { authorization: `Bearer ${KEY}`, ...(last && { "last-event-id": last }) },
    signal: gone.signal,
  });
  const type = stream.headers.get("content-type");
  response.writeHead(stream.status, { "content-type": type, "cache-control": "no-store" });
  await pipeline(Readable.fromWeb(stream.body), response);
}
