/** The scenario with a client made by @hey-api/openapi-ts. */
import { client } from "./generated/client.gen.js";
import {
  appendEvents,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  listEvents,
  patchEndpoint,
} from "./generated/index.js";
import { failure, pageLimit, play, target } from "./scenario.js";

const { url, key } = target();

client.setConfig({ baseUrl: url, auth: key });

await play({
  async createEndpoint(url) {
    const { data, error } = await createEndpoint({ body: { url } });
    if (data === undefined) throw failure(error);
    return data.id;
  },

  async listEndpoints() {
    const found = [];
    let cursor: string | undefined;
    for (;;) {
      const query = { limit: 1, ...(cursor !== undefined && { cursor }) };
      const { data, error } = await listEndpoints({ query });
      if (data === undefined) throw failure(error);
      found.push(...data.endpoints.map(({ id, description }) => ({ id, description })));
      if (!data.has_more || data.cursor === null) return found;
      cursor = data.cursor;
    }
  },

  async describeEndpoint(id, description) {
    const { data, error } = await patchEndpoint({ path: { id }, body: { description } });
    if (data === undefined) throw failure(error);
    return data.description;
  },

  async deleteEndpoint(id) {
    const { error } = await deleteEndpoint({ path: { id } });
    if (error !== undefined) throw failure(error);
  },

  async append(event) {
    const { data, error } = await appendEvents({ body: event });
    if (data === undefined) throw failure(error);
    if ("results" in data) throw new Error("these are the results of a batch");
    return data.sequence;
  },

  async appendBatch(events) {
    const { data, error } = await appendEvents({ body: { events } });
    if (data === undefined) throw failure(error);
    if (!("results" in data)) throw new Error("this is the result of one event");
    return data.results.map((result) =>
      "problem" in result ? result.problem.type : result.sequence,
    );
  },

  async pull(cursor) {
    const query = { limit: pageLimit, ...(cursor !== undefined && { cursor }) };
    const { data, error } = await listEvents({ query });
    if (data === undefined) {
      if (error.type !== "https://tidegate.dev/problems/cursor-expired") throw failure(error);
      throw new Error(`${error.lost} are lost, go on from ${error.oldest_cursor}`);
    }
    const sequences = data.events.map(({ sequence }) => sequence);
    return { sequences, cursor: data.cursor, hasMore: data.has_more };
  },

  async appendInvalid(type) {
    const { error } = await appendEvents({ body: { type, data: null } });
    if (error?.type !== "https://tidegate.dev/problems/invalid") throw failure(error);
    return error.errors.map(({ pointer }) => pointer);
  },
});
