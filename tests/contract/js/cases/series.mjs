import assert from "node:assert/strict";
import { PageIterator } from "@microsoft/microsoft-graph-client";
import { at, env, graph, host, makeEvent, refused, reset } from "../harness.mjs";

const window = { startDateTime: "2031-01-01T00:00:00Z", endDateTime: "2032-01-01T00:00:00Z" };
const numbered = (numberOfOccurrences) => ({ type: "numbered", startDate: "2031-01-06", numberOfOccurrences });
const pattern = (type, more) => ({ type, interval: 1, ...more });

const patterns = [
  ["daily", pattern("daily"), ["01-06", "01-07", "01-08"]],
  ["every third day", pattern("daily", { interval: 3 }), ["01-06", "01-09", "01-12"]],
  ["weekly on two days", pattern("weekly", { daysOfWeek: ["monday", "thursday"] }), ["01-06", "01-09", "01-13"]],
  ["every other week", pattern("weekly", { interval: 2, daysOfWeek: ["monday"], firstDayOfWeek: "monday" }), ["01-06", "01-20", "02-03"]],
  ["monthly", pattern("absoluteMonthly", { dayOfMonth: 6 }), ["01-06", "02-06", "03-06"]],
  ["first Monday", pattern("relativeMonthly", { daysOfWeek: ["monday"], index: "first" }), ["01-06", "02-03", "03-03"]],
  ["quarterly", pattern("absoluteMonthly", { interval: 3, dayOfMonth: 6 }), ["01-06", "04-06", "07-06"]],
];
const wrong = [
  ["an unknown type", pattern("hourly")],
  ["no days", pattern("weekly")],
  ["a day that does not fit", pattern("daily", { dayOfMonth: 3 })],
  ["interval 0", pattern("daily", { interval: 0 })],
];
const zones = ["W. Europe Standard Time", "Pacific Standard Time", "Tokyo Standard Time", "India Standard Time", "Europe/London"];

const series = (changes) => makeEvent({ recurrence: { pattern: pattern("daily"), range: numbered(3) }, ...changes });
const view = async (path = "calendarView") => (await graph.api(`${host}/${path}`).query(window).get()).value;

export const cases = [
  ...patterns.map(([name, pattern, days]) => [
    name,
    async () => {
      await reset();
      const made = await series({ recurrence: { pattern, range: numbered(3) } });
      assert.equal(made.type, "seriesMaster");
      const found = await view();
      assert.deepEqual(found.map((one) => one.start.dateTime.slice(5, 10)), days);
      assert.ok(found.every((one) => one.type === "occurrence" && one.seriesMasterId === made.id));
      assert.equal((await view(`events/${made.id}/instances`)).length, 3);
    },
  ]),
  ...wrong.map(([name, pattern]) => [
    `a series with ${name}`,
    () => refused(series({ recurrence: { pattern, range: numbered(3) } }), 400, "ErrorPropertyValidationFailure"),
  ]),
  ...zones.map((zone) => [
    `wall-clock time in ${zone}`,
    async () => {
      await reset();
      const at = (time) => ({ dateTime: `2031-01-06T${time}:00`, timeZone: zone });
      await series({ start: at("09:00"), end: at("09:30"), recurrence: { pattern: pattern("absoluteMonthly", { dayOfMonth: 6 }), range: numbered(12) } });
      const { value } = await graph.api(`${host}/calendarView`).query(window).top(20).header("Prefer", `outlook.timezone="${zone}"`).get();
      assert.equal(value.length, 12);
      assert.ok(value.every((one) => one.start.dateTime.includes("T09:00:00") && one.start.timeZone === zone));
    },
  ]),
  [
    "one time becomes an exception",
    async () => {
      await reset();
      await series();
      const [, second] = await view();
      const changed = await graph.api(`${host}/events/${second.id}`).patch({ subject: "Other" });
      assert.equal(changed.type, "exception");
      assert.deepEqual((await view()).map((one) => one.subject), ["Visit", "Other", "Visit"]);
    },
  ],
  [
    "one time is left out",
    async () => {
      await reset();
      await series();
      const [first] = await view();
      await graph.api(`${host}/events/${first.id}`).delete();
      assert.equal((await view()).length, 2);
    },
  ],
  [
    "the page iterator reads a view",
    async () => {
      await reset();
      await series({ recurrence: { pattern: pattern("daily"), range: numbered(25) } });
      const seen = [];
      const first = await graph.api(`${host}/calendarView`).query(window).top(10).get();
      await new PageIterator(graph, first, (one) => seen.push(one.id)).iterate();
      assert.equal(new Set(seen).size, 25);
    },
  ],
  ["a view without a window", () => refused(graph.api(`${host}/calendarView`).get(), 400, "ErrorInvalidParameter")],
  [
    "getSchedule",
    async () => {
      await reset();
      await makeEvent();
      const body = { schedules: [env.GRAPH_USER_EMAIL, "nobody@sim.example"], startTime: at(9), endTime: at(12), availabilityViewInterval: 60 };
      const { value } = await graph.api(`${host}/calendar/getSchedule`).post(body);
      assert.equal(value[0].availabilityView, "020");
      assert.equal(value[1].error.responseCode, "ErrorMailRecipientNotFound");
    },
  ],
  [
    "findMeetingTimes",
    async () => {
      await reset();
      await makeEvent();
      const timeConstraint = { activityDomain: "work", timeSlots: [{ start: at(9), end: at(12) }] };
      const found = await graph.api(`${host}/findMeetingTimes`).post({ attendees: [], timeConstraint, meetingDuration: "PT1H" });
      assert.deepEqual(found.meetingTimeSuggestions.map((one) => one.meetingTimeSlot.start.dateTime.slice(11, 13)), ["09", "11"]);
    },
  ],
  ["the calendar", async () => assert.deepEqual((await graph.api(`${host}/calendar`).get()).allowedOnlineMeetingProviders, ["teamsForBusiness"])],
];
