/** The scenario with openapi-fetch and types made by openapi-typescript. */
import createClient from "openapi-fetch";
import type { paths } from "./generated/schema.js";
import { failure, pageLimit, play, target } from "./scenario.js";

const { url, key } = target();

/** Of the forms that an answer may have, those that are asked for. */
type Json = "application/json" | "application/problem+json";

const client = createClient<paths, Json>({
  baseUrl: url,
  headers: { authorization: `Bearer ${key}` },
});

await play({
  async createEndpoint(url) {
    const { data, error } = await client.POST("/endpoints", { body: { url } });
    if (error !== undefined) throw failure(error);
    return data.id;
  },

  async listEndpoints() {
    const found = [];
    let cursor: string | undefined;
    for (;;) {
      const query = { limit: 1, ...(cursor !== undefined && { cursor }) };
      const { data, error } = await client.GET("/endpoints", { params: { query } });
      if (error !== undefined) throw failure(error);
      found.push(...data.endpoints.map(({ id, description }) => ({ id, description })));
      if (!data.has_more || data.cursor === null) return found;
      cursor = data.cursor;
    }
  },

  async describeEndpoint(id, description) {
    const params = { path: { id } };
    const body = { description };
    const { data, error } = await client.PATCH("/endpoints/{id}", { params, body });
    if (error !== undefined) throw failure(error);
    return data.description;
  },

  async deleteEndpoint(id) {
    const { error } = await client.DELETE("/endpoints/{id}", { params: { path: { id } } });
    if (error !== undefined) throw failure(error);
  },

  async append(event) {
    const { data, error } = await client.POST("/events", { body: event });
    if (error !== undefined) throw failure(error);
    if ("results" in data) throw new Error("these are the results of a batch");
    return data.sequence;
  },

  async appendBatch(events) {
    const { data, error } = await client.POST("/events", { body: { events } });
    if (error !== undefined) throw failure(error);
    if (!("results" in data)) throw new Error("this is the result of one event");
    return data.results.map((result) =>
      "problem" in result ? result.problem.type : result.sequence,
    );
  },

  async pull(cursor) {
    const query = { limit: pageLimit, ...(cursor !== undefined && { cursor }) };
    const { data, error } = await client.GET("/events", { params: { query } });
    if (error !== undefined) {
      if (error.type !== "https://tidegate.dev/problems/cursor-expired") throw failure(error);
      throw new Error(`${error.lost} are lost, go on from ${error.oldest_cursor}`);
    }
    const sequences = data.events.map(({ sequence }) => sequence);
    return { sequences, cursor: data.cursor, hasMore: data.has_more };
  },

  async appendInvalid(type) {
    const { error } = await client.POST("/events", { body: { type, data: null } });
    if (error?.type !== "https://tidegate.dev/problems/invalid") throw failure(error);
    return error.errors.map(({ pointer }) => pointer);
  },
});
