import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { at, control, env, event, graph, host, makeEvent, refused } from "../harness.mjs";

const events = `${host}/events`;
const property = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name convene";

const kept = [
  ["subject", "Überprüfung – 点検 \u{1F9EA}"],
  ["importance", "high"],
  ["sensitivity", "private"],
  ["showAs", "tentative"],
  ["isAllDay", true, { start: at(0, 6), end: at(0, 7) }],
  ["isReminderOn", true],
  ["reminderMinutesBeforeStart", 20],
  ["responseRequested", false],
  ["allowNewTimeProposals", false],
  ["hideAttendees", true],
  ["categories", ["blue", "red"]],
  ["location", { displayName: "Room 1" }],
  ["body", { contentType: "html", content: "<p>Hello</p>" }],
  ["attendees", [{ type: "required", emailAddress: { name: "A Guest", address: "guest@example.com" } }]],
];

const wrong = [
  ["no start", { start: undefined }, "ErrorPropertyValidationFailure"],
  ["no end", { end: undefined }, "ErrorPropertyValidationFailure"],
  ["end before start", { end: at(9) }, "ErrorPropertyValidationFailure"],
  ["a time that is none", { start: { dateTime: "tomorrow", timeZone: "UTC" } }, "ErrorPropertyValidationFailure"],
  ["a zone that is none", { start: { dateTime: "2031-01-06T10:00:00", timeZone: "Middle Earth Time" } }, "TimeZoneNotSupportedException"],
  ["another provider", { onlineMeetingProvider: "skypeForConsumer" }, "ErrorPropertyValidationFailure"],
  ["a member that is none", { colour: "red" }, "BadRequest"],
  ["a wrong type", { subject: 7 }, "BadRequest"],
  ["a wrong member of an enumeration", { importance: "huge" }, "BadRequest"],
];

const zones = [
  ["UTC", "2031-01-06T10:00:00.0000000"],
  ["Europe/Berlin", "2031-01-06T11:00:00.0000000"],
  ["America/New_York", "2031-01-06T05:00:00.0000000"],
  ["Asia/Kolkata", "2031-01-06T15:30:00.0000000"],
];

export const cases = [
  [
    "an online event has a join link and an etag",
    async () => {
      const made = await makeEvent();
      assert.match(made.onlineMeeting.joinUrl, /^https:\/\/teams\.microsoft\.com\/l\/meetup-join\//);
      assert.equal(made.onlineMeetingUrl, null);
      assert.equal(made.onlineMeetingProvider, "teamsForBusiness");
      assert.equal(made.type, "singleInstance");
      assert.match(made["@odata.etag"], /^W\/"/);
      assert.equal(made.organizer.emailAddress.address, env.GRAPH_USER_EMAIL);
    },
  ],
  [
    "an event that is not online has none",
    async () => {
      const made = await makeEvent({ isOnlineMeeting: false, onlineMeetingProvider: undefined });
      assert.equal(made.onlineMeeting, null);
      assert.equal(made.isOnlineMeeting, false);
    },
  ],
  ...kept.map(([name, value, more]) => [
    `${name} is kept`,
    async () => {
      const { id } = await makeEvent({ [name]: value, ...more });
      assert.deepEqual((await graph.api(`${events}/${id}`).get())[name], value);
    },
  ]),
  ...kept.map(([name, value]) => [
    `${name} is changed`,
    async () => {
      const { id } = await makeEvent();
      const changed = await graph.api(`${events}/${id}`).patch({ [name]: value });
      assert.deepEqual(changed[name], value);
    },
  ]),
  ...wrong.map(([name, changes, code]) => [`create with ${name}`, () => refused(makeEvent(changes), 400, code)]),
  ...zones.map(([zone, wanted]) => [
    `times in ${zone}`,
    async () => {
      const { id } = await makeEvent();
      const shown = await graph.api(`${events}/${id}`).header("Prefer", `outlook.timezone="${zone}"`).get();
      assert.deepEqual(shown.start, { dateTime: wanted, timeZone: zone });
    },
  ]),
  ...zones.map(([zone, local]) => [
    `a start given in ${zone}`,
    async () => {
      const made = await makeEvent({ start: { dateTime: local, timeZone: zone } });
      assert.equal(made.start.dateTime, "2031-01-06T10:00:00.0000000");
      assert.equal(made.originalStartTimeZone, zone);
    },
  ]),
  [
    "a repeated transactionId makes no second event",
    async () => {
      const transactionId = randomUUID();
      const first = await makeEvent({ transactionId });
      const second = await makeEvent({ transactionId });
      assert.equal(first.id, second.id);
      assert.equal(second.transactionId, transactionId);
    },
  ],
  [
    "or conflicts, when the simulator is told so",
    async () => {
      const transactionId = randomUUID();
      await makeEvent({ transactionId });
      await control("POST", "repeats", { conflict: true });
      await refused(makeEvent({ transactionId }), 409, "ErrorDuplicateTransactionId").finally(() => control("POST", "repeats", { conflict: false }));
    },
  ],
  [
    "transactionId is fixed",
    async () => {
      const { id } = await makeEvent({ transactionId: randomUUID() });
      await refused(graph.api(`${events}/${id}`).patch({ transactionId: randomUUID() }), 400, "ErrorPropertyValidationFailure");
    },
  ],
  [
    "an online event stays online",
    async () => {
      const { id } = await makeEvent();
      await refused(graph.api(`${events}/${id}`).patch({ isOnlineMeeting: false }), 400, "ErrorPropertyValidationFailure");
    },
  ],
  [
    "If-Match with an old etag",
    async () => {
      const made = await makeEvent();
      await graph.api(`${events}/${made.id}`).patch({ subject: "Changed" });
      const late = graph.api(`${events}/${made.id}`).header("If-Match", made["@odata.etag"]).patch({ subject: "Late" });
      await refused(late, 412, "ErrorIrresolvableConflict");
    },
  ],
  [
    "an extended property finds its event",
    async () => {
      const value = randomUUID();
      const { id } = await makeEvent({ singleValueExtendedProperties: [{ id: property, value }] });
      const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${property}' and ep/value eq '${value}')`;
      const found = await graph.api(events).filter(filter).expand(`singleValueExtendedProperties($filter=id eq '${property}')`).get();
      assert.deepEqual(found.value.map((one) => one.id), [id]);
      assert.equal(found.value[0].singleValueExtendedProperties[0].value, value);
    },
  ],
  [
    "deleted is gone",
    async () => {
      const { id } = await makeEvent();
      await graph.api(`${events}/${id}`).delete();
      await refused(graph.api(`${events}/${id}`).get(), 404, "ErrorItemNotFound");
    },
  ],
  [
    "cancelled is gone",
    async () => {
      const { id } = await makeEvent();
      await graph.api(`${events}/${id}/cancel`).post({ comment: "We are sorry." });
      await refused(graph.api(`${events}/${id}`).get(), 404, "ErrorItemNotFound");
    },
  ],
  [
    "under /calendar too",
    async () => {
      const made = await graph.api(`${host}/calendar/events`).post(event());
      assert.equal((await graph.api(`${host}/calendar/events/${made.id}`).get()).id, made.id);
    },
  ],
  ["an event that never was", () => refused(graph.api(`${events}/AAMkNothing=`).get(), 404, "ErrorItemNotFound")],
  ["a user who never was", () => refused(graph.api("/users/nobody/events").post(event()), 404, "Request_ResourceNotFound")],
];
