// The client by itself, in node, against the real gateway.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildSchema, parse, validate } from "graphql";
import { ConveneError, Guest, booked, decide, own, road, until } from "../world.mjs";

const { PAGES: pages, ROOT: root } = process.env;
const built = (module) => import(join(pages, `built/client/${module}.js`));
const schema = buildSchema(readFileSync(join(root, "schema/schema.graphql"), "utf8"));

test("every operation of the client is one of the schema", async () => {
  const { GUEST_OPERATIONS } = await built("guest");
  const { APP_OPERATIONS } = await built("app");
  for (const [name, document] of Object.entries({ ...GUEST_OPERATIONS, ...APP_OPERATIONS })) {
    assert.deepEqual(validate(schema, parse(document)), [], name);
  }
});

test("the client's states are those of the schema", () => {
  const types = readFileSync(join(pages, "client/types.ts"), "utf8");
  const said = types.matchAll(/export type (\w+State) =([^;]+);/g);
  let seen = 0;
  for (const [, name, values] of said) {
    const wanted = schema.getType(name).getValues().map((value) => value.name);
    assert.deepEqual([...values.matchAll(/"(\w+)"/g)].map(([, value]) => value), wanted, name);
    seen += 1;
  }
  assert.equal(seen, 5);
});

test("a stream is read in whatever pieces it comes", async () => {
  const { EventParser } = await built("sse");
  const text = ": alive\n\nevent: next\r\ndata: one\r\ndata: é two\r\n\r\nevent: next\rdata:three\r\rdata: 4\n\nevent: complete\ndata\n\nevent: cut\ndata: o";
  const wanted = [
    { event: "next", data: "one\né two" },
    { event: "next", data: "three" },
    { event: "message", data: "4" },
    { event: "complete", data: "" },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const parser = new EventParser();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)));
    assert.deepEqual(found, wanted, `pieces of ${size}`);
  }
  assert.throws(() => [...new EventParser().push("data: ".padEnd(2_000_000, "x"))], RangeError);
});

test("errors say what they are", async () => {
  const is = (kind, reason, more = {}) => (error) => {
    assert(error instanceof ConveneError, error);
    assert.deepEqual({ kind: error.kind, reason: error.reason }, { kind, reason });
    for (const [name, value] of Object.entries(more)) assert.equal(error[name], value, name);
    return true;
  };
  const [guest] = (await booked(["Errors"])).invited;
  await assert.rejects(new Guest("x".repeat(43), { url: road.url }).visit(), is("fault", "TICKET_UNKNOWN", { code: "UNAUTHENTICATED", retryable: false }));
  await assert.rejects(new Guest(guest.ticket, { url: road.url }).joinDetails(), is("refusal", "NOT_ADMITTED", { code: undefined }));
  await assert.rejects(decide("admitVisit", "nonsense"), is("refusal", "MALFORMED_ID", { field: "visitId", retryable: false }));
  await assert.rejects(new Guest(guest.ticket, { url: "http://127.0.0.1:1" }).visit(), is("unreachable", "UNREACHABLE", { retryable: true }));
  const stop = AbortSignal.abort(new Error("enough"));
  await assert.rejects(new Guest(guest.ticket, { url: road.url }).visit(stop), /enough/);
});

test("events come once each and in order over a connection that keeps breaking", async () => {
  const booking = await booked(["One", "Two", "Three"]);
  const stop = new AbortController();
  const told = [];
  const links = [];
  const events = own.app.events(booking.id, { signal: stop.signal, pauseMs: 20, onLink: (link) => links.push(link) });
  const following = (async () => {
    for await (const event of events) {
      told.push(event);
      if (told.length % 3 === 0) road.cut();
    }
  })();
  for (const [at, { ticket, visitId }] of booking.invited.entries()) {
    await insist(() => new Guest(ticket, { url: road.url }).enter());
    await insist(() => decide(at === 1 ? "denyVisit" : "admitVisit", visitId));
  }
  const query = "query($id: ID!) { auditTrail(bookingId: $id) { events { source position objectKind objectId seq } } }";
  const trail = async () => {
    const { auditTrail } = await insist(() => own.app.connection.ask(query, { id: booking.id }));
    return auditTrail.events.filter(({ source }) => source !== "gateway");
  };
  const key = (event) => `${event.source} ${event.objectKind} ${event.objectId} ${event.seq}`;
  await until("all is told", async () => (await trail()).length === told.length);
  stop.abort();
  await following;
  assert.deepEqual(told.map(key).sort(), (await trail()).map(key).sort());
  assert(links.filter((link) => link === "reconnecting").length >= 3, links.join());
  const at = new Map();
  for (const event of told) {
    assert.equal(event.seq, (at.get(event.objectId) ?? 0) + 1, key(event));
    at.set(event.objectId, event.seq);
  }
});

/** Again, when the road broke just then. */
async function insist(act) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ConveneError && error.kind === "unreachable") || tries > 20) throw error;
    }
  }
}

test("a subscription ends with what waiting cannot cure", async () => {
  const booking = await booked(["Replaced"]);
  const [{ ticket }] = booking.invited;
  const states = [];
  const following = (async () => {
    for await (const visit of new Guest(ticket, { url: road.url }).watch()) states.push(visit.state);
  })();
  // Listened for from the beginning: it may end before the answer to what ends it is here.
  const ended = assert.rejects(following, (error) => error instanceof ConveneError && error.reason === "TICKET_REPLACED");
  await until("the first state", () => states.length === 1);
  await own.app.issueTicket(booking.id, booking.guests[0].id);
  // Told with the next change of the booking.
  await own.app.cancel({ idempotencyKey: "c", bookingId: booking.id, reason: "TEST" });
  await ended;
});
