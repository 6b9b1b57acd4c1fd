import assert from "node:assert/strict";
import { PageIterator } from "@microsoft/microsoft-graph-client";
import { graph, host, makeEvent, plain, refused, reset } from "../harness.mjs";

const events = `${host}/events`;

async function calendar(count) {
  await reset();
  for (let number = 0; number < count; number++) await makeEvent({ subject: `Visit ${number}` });
}

const sizes = [
  [1, 7],
  [3, 7],
  [7, 7],
  [10, 7],
];

export const cases = [
  ...sizes.map(([top, count]) => [
    `the page iterator reads ${count} by ${top}`,
    async () => {
      await calendar(count);
      const seen = [];
      const first = await graph.api(events).top(top).get();
      await new PageIterator(graph, first, (one) => seen.push(one.subject)).iterate();
      assert.deepEqual(seen, Array.from({ length: count }, (_, number) => `Visit ${number}`));
    },
  ]),
  [
    "skip and top",
    async () => {
      await calendar(5);
      const page = await graph.api(events).skip(2).top(2).get();
      assert.deepEqual(page.value.map((one) => one.subject), ["Visit 2", "Visit 3"]);
      assert.match(page["@odata.nextLink"], /^https:/);
    },
  ],
  [
    "next links over http stay there",
    async () => {
      await calendar(3);
      const page = await plain.api(events).top(2).get();
      assert.match(page["@odata.nextLink"], /^http:/);
    },
  ],
  [
    "count",
    async () => {
      await calendar(4);
      const page = await graph.api(events).top(1).count(true).get();
      assert.equal(page["@odata.count"], 4);
    },
  ],
  [
    "select keeps id and etag",
    async () => {
      await calendar(1);
      const { value } = await graph.api(events).select(["subject", "start"]).get();
      assert.deepEqual(Object.keys(value[0]).sort(), ["@odata.etag", "id", "start", "subject"]);
    },
  ],
  [
    "orderby",
    async () => {
      await calendar(3);
      const { value } = await graph.api(events).orderby("createdDateTime desc").get();
      assert.deepEqual(value.map((one) => one.subject), ["Visit 2", "Visit 1", "Visit 0"]);
    },
  ],
  ["a top that is no number", () => refused(graph.api(events).query({ $top: "many" }).get(), 400, "BadRequest")],
  ["an option that is none here", () => refused(graph.api(`${host}/onlineMeetings`).filter("JoinWebUrl eq 'x'").top(1).get(), 400, "BadRequest")],
];
