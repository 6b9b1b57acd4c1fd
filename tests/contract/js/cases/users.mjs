import assert from "node:assert/strict";
import { env, graph, plain, refused } from "../harness.mjs";

const ways = { https: graph, http: plain };
const keys = { "object id": env.GRAPH_USER, "principal name": env.GRAPH_USER_EMAIL, "principal name in capitals": env.GRAPH_USER_EMAIL.toUpperCase() };

export const cases = [
  ...Object.entries(ways).flatMap(([way, client]) =>
    Object.entries(keys).map(([kind, key]) => [
      `one user by ${kind} over ${way}`,
      async () => {
        const user = await client.api(`/users/${key}`).get();
        assert.equal(user.id, env.GRAPH_USER);
        assert.equal(user.userPrincipalName, env.GRAPH_USER_EMAIL);
      },
    ]),
  ),
  ...["v1.0", "beta"].map((version) => [
    `the list in ${version}`,
    async () => {
      const { value } = await graph.api("/users").version(version).get();
      assert.ok(value.length >= 3 && value.some((user) => user.id === env.GRAPH_USER));
    },
  ]),
  ["a key in parentheses", async () => assert.equal((await graph.api(`/users('${env.GRAPH_USER}')`).get()).id, env.GRAPH_USER)],
  ["select", async () => assert.deepEqual(Object.keys(await graph.api(`/users/${env.GRAPH_USER}`).select("displayName").get()).sort(), ["@odata.context", "displayName", "id"])],
  ["an unknown user", () => refused(graph.api("/users/nobody").get(), 404, "Request_ResourceNotFound")],
  ["/me without a signed-in user", () => refused(graph.api("/me").get(), 400, "BadRequest")],
];
