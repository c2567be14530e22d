// A receiver in 15 lines. SECRET=whsec_… node receiver.js
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { verify } from "tidegate/client";

createServer(async (request, response) => {
  try {
    const event = await verify(process.env.SECRET, request.headers, await buffer(request));
    console.log(Number(event.sequence), event.type, event.data);
    response.writeHead(204).end();
  } catch (error) {
    console.error(error.message);
    response.writeHead(400).end(error.message);
  }
}).listen(process.env.PORT ?? 3000);
