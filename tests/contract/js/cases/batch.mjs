import assert from "node:assert/strict";
import { BatchRequestContent, BatchResponseContent } from "@microsoft/microsoft-graph-client";
import { control, event, graph, host, refused, reset } from "../harness.mjs";

const base = new URL(process.env.GRAPH_BASE).origin;
const request = (path, init) => new Request(`${base}${path}`, init);
const create = () => request(`${host}/events`, { method: "POST", body: JSON.stringify(event()), headers: { "Content-Type": "application/json" } });

async function batch(steps) {
  const content = new BatchRequestContent(steps);
  return new BatchResponseContent(await graph.api("/$batch").post(await content.getContent()));
}

export const cases = [
  [
    "answers come by id",
    async () => {
      const answers = await batch([
        { id: "users", request: request("/users") },
        { id: "nobody", request: request("/users/nobody") },
      ]);
      assert.equal(answers.getResponseById("users").status, 200);
      assert.ok((await answers.getResponseById("users").json()).value.length > 0);
      assert.equal((await answers.getResponseById("nobody").json()).error.code, "Request_ResourceNotFound");
    },
  ],
  [
    "steps wait for those that they depend on",
    async () => {
      await reset();
      const answers = await batch([
        { id: "1", request: create() },
        { id: "2", request: create(), dependsOn: ["1"] },
        { id: "3", request: request(`${host}/events`), dependsOn: ["2"] },
      ]);
      assert.equal((await answers.getResponseById("3").json()).value.length, 2);
    },
  ],
  [
    "after a failure there is 424",
    async () => {
      const answers = await batch([
        { id: "1", request: request("/users/nobody") },
        { id: "2", request: create(), dependsOn: ["1"] },
      ]);
      assert.equal(answers.getResponseById("2").status, 424);
    },
  ],
  [
    "a throttled item is not tried again by the client",
    async () => {
      await control("POST", "faults", { pathContains: "/events", times: 1, action: { throttle: { retryAfter: 7 } } });
      const answers = await batch([{ id: "1", request: create() }]);
      const answer = answers.getResponseById("1");
      assert.equal(answer.status, 429);
      assert.equal(answer.headers.get("Retry-After"), "7");
    },
  ],
  [
    "twenty, and no more",
    async () => {
      const steps = (count) => ({ requests: Array.from({ length: count }, (_, id) => ({ id: `${id}`, method: "GET", url: "/users" })) });
      assert.equal((await graph.api("/$batch").post(steps(20))).responses.length, 20);
      await refused(graph.api("/$batch").post(steps(21)), 400, "BadRequest");
    },
  ],
];
