import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { env, graph, host, refused } from "../harness.mjs";

const raw = (path, headers = {}) => graph.api(path).headers(headers).responseType("raw").get();

const missing = ["/drives", "/teams", "/groups", `${host}/messages`, `${host}/presence`];

export const cases = [
  [
    "every answer has its ids and OData version",
    async () => {
      const id = randomUUID();
      const answer = await raw("/users", { "client-request-id": id });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("client-request-id"), id);
      assert.match(answer.headers.get("request-id"), /^[0-9a-f-]{36}$/);
      assert.equal(answer.headers.get("odata-version"), "4.0");
      assert.match(answer.headers.get("content-type"), /^application\/json;odata\.metadata=minimal/);
    },
  ],
  [
    "an error has them inside",
    async () => {
      const error = await refused(graph.api("/users/nobody").get(), 404, "Request_ResourceNotFound");
      const inner = JSON.parse(error.body).innerError;
      assert.match(inner["request-id"], /^[0-9a-f-]{36}$/);
      assert.ok(inner["client-request-id"] && inner.date);
    },
  ],
  ...["/USERS", "/Users", `/users('${env.GRAPH_USER}')/Events`, `/users/${env.GRAPH_USER}/CALENDAR/events`].map((path) => [
    `${path} is found`,
    async () => assert.ok((await graph.api(path).get()).value),
  ]),
  ...missing.map((path) => [`${path.replace(env.GRAPH_USER, "{id}")} says that it is not there`, () => refused(graph.api(path).get(), 501, "NotImplemented")]),
];
