/** The scenario with a client made by orval, whose functions give back what `fetch` brought. */
import {
  appendEvents,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  listEvents,
  patchEndpoint,
} from "./generated/client.js";
import { failure, pageLimit, play, target } from "./scenario.js";

const { key } = target();

const options = { headers: { authorization: `Bearer ${key}` } };

await play({
  async createEndpoint(url) {
    const { status, data } = await createEndpoint({ url }, undefined, options);
    if (status !== 201) throw failure(data);
    return data.id;
  },

  async listEndpoints() {
    const found = [];
    let cursor: string | undefined;
    for (;;) {
      const query = { limit: 1, ...(cursor !== undefined && { cursor }) };
      const { status, data } = await listEndpoints(query, options);
      if (status !== 200) throw failure(data);
      found.push(...data.endpoints.map(({ id, description }) => ({ id, description })));
      if (!data.has_more || data.cursor === null) return found;
      cursor = data.cursor;
    }
  },

  async describeEndpoint(id, description) {
    const { status, data } = await patchEndpoint(id, { description }, undefined, options);
    if (status !== 200) throw failure(data);
    return data.description;
  },

  async deleteEndpoint(id) {
    const { status, data } = await deleteEndpoint(id, undefined, options);
    if (status !== 204) throw failure(data);
  },

  async append(event) {
    const { status, data } = await appendEvents(event, undefined, options);
    if (status !== 201) throw new Error(`expected an event to be appended, not ${status}`);
    return data.sequence;
  },

  async appendBatch(events) {
    const { status, data } = await appendEvents({ events }, undefined, options);
    if (status !== 200 || !("results" in data)) throw new Error(`no results, but ${status}`);
    return data.results.map((result) =>
      "problem" in result ? result.problem.type : result.sequence,
    );
  },

  async pull(cursor) {
    const query = { limit: pageLimit, ...(cursor !== undefined && { cursor }) };
    const { status, data } = await listEvents(query, options);
    if (status === 410 && data.type === "https://tidegate.dev/problems/cursor-expired") {
      throw new Error(`${data.lost} are lost, go on from ${data.oldest_cursor}`);
    }
    if (status !== 200 || !("events" in data)) throw new Error(`no page, but ${status}`);
    const sequences = data.events.map(({ sequence }) => sequence);
    return { sequences, cursor: data.cursor, hasMore: data.has_more };
  },

  async appendInvalid(type) {
    const { status, data } = await appendEvents({ type, data: null }, undefined, options);
    if (status !== 422 || data.type !== "https://tidegate.dev/problems/invalid") {
      throw new Error(`expected the event to be refused as invalid, not ${status}`);
    }
    return data.errors.map(({ pointer }) => pointer);
  },
});
