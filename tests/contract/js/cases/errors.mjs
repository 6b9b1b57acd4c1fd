// What goes wrong on the way, and what the client's own middleware makes of it.
import assert from "node:assert/strict";
import { control, env, graph, host, makeEvent, refused, reset } from "../harness.mjs";

const users = () => graph.api("/users");
const plant = (action, times, pathContains = "/users", method) => control("POST", "faults", { action, times, pathContains, method });

const statuses = [
  [500, "InternalServerError"],
  [502, "BadGateway"],
];
const retried = [
  [503, { errorBefore: { status: 503 } }],
  [504, { errorBefore: { status: 504 } }],
  [429, { throttle: { retryAfter: 1 } }],
];

export const cases = [
  ...statuses.map(([status, code]) => [
    `${status} is told`,
    async () => {
      await plant({ errorBefore: { status } }, 1);
      await refused(users().get(), status, code);
    },
  ]),
  ...retried.map(([status, action]) => [
    `${status} is tried again`,
    async () => {
      await plant(action, 1);
      assert.ok((await users().get()).value.length > 0);
      assert.deepEqual(await control("GET", "faults"), [], "it was met");
    },
  ]),
  [
    "throttled by the header until the attempt that is let through",
    async () => {
      const { value } = await users().header(env.GRAPH_THROTTLE_HEADER, "1").get();
      assert.ok(value.length > 0);
    },
  ],
  [
    "a throttled create has made nothing",
    async () => {
      await reset();
      await plant({ throttle: { retryAfter: 1 } }, 1, "/events", "POST");
      await makeEvent();
      assert.equal((await graph.api(`${host}/events`).get()).value.length, 1);
    },
  ],
  [
    "a lost answer has made one event; its transactionId finds it",
    async () => {
      await reset();
      await plant("dropAfter", 1, "/events", "POST");
      await makeEvent({ transactionId: "lost" }).then(
        () => assert.fail("an answer came"),
        () => undefined,
      );
      await makeEvent({ transactionId: "lost" });
      assert.equal((await graph.api(`${host}/events`).get()).value.length, 1);
    },
  ],
];
