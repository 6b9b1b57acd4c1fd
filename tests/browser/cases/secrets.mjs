// Last: what all the cases before left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { node, road, tickets } from "../world.mjs";

test("no ticket stands in an address, a referrer or a log", () => {
  assert(tickets.length > 20 && road.seen.length > 200);
  const log = node.log();
  assert(log.includes("graphql"), "the log was read");
  for (const ticket of tickets) {
    assert(!log.includes(ticket), "a ticket in the log");
    for (const { url, headers } of road.seen) {
      assert(!url.includes(ticket), `a ticket in ${url}`);
      assert(!headers.referer?.includes(ticket), "a ticket in a referrer");
    }
  }
  const referers = road.seen.filter(({ headers }) => headers.referer);
  assert.deepEqual(referers, [], "no address is told at all");
  const cookies = road.seen.filter(({ headers }) => headers.cookie);
  assert.deepEqual(cookies, []);
});
