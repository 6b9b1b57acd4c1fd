import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { at, backedMeeting, env, graph, host, makeEvent, makeMeeting, refused } from "../harness.mjs";

const meetings = `${host}/onlineMeetings`;
const one = (meeting) => graph.api(`${meetings}/${encodeURIComponent(meeting.id)}`);

const flags = [
  "allowAttendeeToEnableCamera",
  "allowAttendeeToEnableMic",
  "allowTeamworkReactions",
  "allowRecording",
  "allowTranscription",
  "allowBreakoutRooms",
  "allowCopyingAndSharingMeetingContent",
  "allowParticipantsToChangeName",
  "allowPowerPointSharing",
  "allowWhiteboard",
  "isEntryExitAnnounced",
  "recordAutomatically",
];
const members = {
  allowedPresenters: ["everyone", "organization", "roleIsPresenter", "organizer"],
  allowMeetingChat: ["enabled", "disabled", "limited"],
  allowedLobbyAdmitters: ["organizerAndCoOrganizersAndPresenters", "organizerAndCoOrganizers"],
  shareMeetingChatHistoryDefault: ["none", "all"],
  allowLiveShare: ["enabled", "disabled"],
};
const scopes = ["organizer", "organization", "organizationAndFederated", "everyone"];
const newer = ["invited", "organizationExcludingGuests"];

const wrong = [
  ["an unknown scope", { lobbyBypassSettings: { scope: "nobody" } }],
  ["an unknown presenter rule", { allowedPresenters: "cats" }],
  ["a flag that is a text", { allowRecording: "yes" }],
  ["end before start", { startDateTime: "2031-01-06T11:00:00Z", endDateTime: "2031-01-06T10:00:00Z" }],
  ["a time that is none", { startDateTime: "soon" }],
  ["an end alone", { endDateTime: "2031-01-06T11:00:00Z" }],
  ["an unknown role", { participants: { attendees: [{ upn: "a@example.com", role: "king" }] } }],
];

export const cases = [
  [
    "defaults",
    async () => {
      const made = await makeMeeting({ subject: "Plain" });
      assert.equal(made.lobbyBypassSettings.scope, "organization");
      assert.equal(made.allowedPresenters, "everyone");
      assert.equal(made.joinMeetingIdSettings.passcode, null);
      assert.match(made.joinMeetingIdSettings.joinMeetingId, /^\d+$/);
      assert.match(made.chatInfo.threadId, /^19:meeting_.*@thread\.v2$/);
      assert.equal(made.participants.organizer.identity.user.id, env.GRAPH_USER);
      assert.equal(Buffer.from(made.id, "base64").toString(), `1*${env.GRAPH_USER}*0**${made.chatInfo.threadId}`);
    },
  ],
  [
    "times are answered in UTC",
    async () => {
      const made = await makeMeeting({ startDateTime: "2031-01-06T10:00:00+02:00", endDateTime: "2031-01-06T11:00:00+02:00" });
      assert.equal(made.startDateTime, "2031-01-06T08:00:00Z");
    },
  ],
  [
    "a passcode when one is required",
    async () => {
      const made = await makeMeeting({ joinMeetingIdSettings: { isPasscodeRequired: true } });
      assert.ok(made.joinMeetingIdSettings.passcode.length >= 6);
      await refused(one(made).patch({ joinMeetingIdSettings: { isPasscodeRequired: false } }), 400, "BadRequest");
    },
  ],
  ...flags.flatMap((name) =>
    [true, false].map((value) => [
      `${name} ${value}`,
      async () => {
        const made = await makeMeeting({ [name]: !value });
        assert.equal(made[name], !value);
        assert.equal((await one(made).patch({ [name]: value }))[name], value);
        assert.equal((await one(made).get())[name], value);
      },
    ]),
  ),
  ...Object.entries(members).flatMap(([name, values]) =>
    values.map((value) => [
      `${name} ${value}`,
      async () => {
        const made = await makeMeeting();
        assert.equal((await one(made).patch({ [name]: value }))[name], value);
      },
    ]),
  ),
  ...scopes.map((scope) => [
    `lobby scope ${scope}; the other setting stays`,
    async () => {
      const made = await makeMeeting({ lobbyBypassSettings: { isDialInBypassEnabled: true } });
      const changed = await one(made).patch({ lobbyBypassSettings: { scope } });
      assert.deepEqual(changed.lobbyBypassSettings, { scope, isDialInBypassEnabled: true });
    },
  ]),
  ...newer.map((scope) => [
    `lobby scope ${scope} is told to those who ask`,
    async () => {
      const made = await makeMeeting({ lobbyBypassSettings: { scope } });
      assert.equal(made.lobbyBypassSettings.scope, "unknownFutureValue");
      const told = await one(made).header("Prefer", "include-unknown-enum-members").get();
      assert.equal(told.lobbyBypassSettings.scope, scope);
    },
  ]),
  ...wrong.map(([name, body]) => [`create with ${name}`, () => refused(makeMeeting(body), 400, "BadRequest")]),
  [
    "createOrGet makes one per external id",
    async () => {
      const body = { externalId: randomUUID(), subject: "Once" };
      const path = graph.api(`${meetings}/createOrGet`);
      const [first, second] = [await path.post(body), await path.post(body)];
      assert.equal(first.id, second.id);
      assert.equal(second.externalId, body.externalId);
    },
  ],
  ["createOrGet without external id", () => refused(graph.api(`${meetings}/createOrGet`).post({ subject: "x" }), 400, "BadRequest")],
  [
    "the meeting behind an event is found by its link, and follows the event",
    async () => {
      const made = await makeEvent();
      const filter = `JoinWebUrl eq '${encodeURIComponent(made.onlineMeeting.joinUrl)}'`;
      await graph.api(`${host}/events/${made.id}`).patch({ start: at(12), end: at(13), subject: "Later" });
      const { value } = await graph.api(meetings).filter(filter).get();
      assert.equal(value[0].startDateTime, "2031-01-06T12:00:00Z");
      assert.equal(value[0].subject, "Later");
    },
  ],
  [
    "found by its digits",
    async () => {
      const meeting = await backedMeeting();
      const digits = meeting.joinMeetingIdSettings.joinMeetingId;
      const { value } = await graph.api(meetings).filter(`joinMeetingIdSettings/joinMeetingId eq '${digits}'`).get();
      assert.deepEqual(value.map((found) => found.id), [meeting.id]);
    },
  ],
  ["a list without filter", () => refused(graph.api(meetings).get(), 400, "BadRequest")],
  ["a list by something else", () => refused(graph.api(meetings).filter("subject eq 'x'").get(), 400, "BadRequest")],
  [
    "one time alone cannot change",
    async () => {
      const made = await makeMeeting();
      await refused(one(made).patch({ startDateTime: "2031-01-06T11:00:00Z" }), 400, "BadRequest");
    },
  ],
  [
    "deleted is gone",
    async () => {
      const made = await makeMeeting();
      await one(made).delete();
      await refused(one(made).get(), 404, "NotFound");
    },
  ],
  [
    "no access policy, no meeting",
    async () => {
      const error = await refused(graph.api(`/users/${env.GRAPH_DENIED_USER}/onlineMeetings`).post({}), 403, "Forbidden");
      assert.equal(error.message, "No application access policy found for this app");
    },
  ],
  [
    "another organizer's meeting",
    async () => {
      const made = await makeMeeting();
      const { value } = await graph.api("/users").get();
      const other = value.find((user) => user.id !== env.GRAPH_USER && user.id !== env.GRAPH_DENIED_USER);
      await refused(graph.api(`/users/${other.id}/onlineMeetings/${encodeURIComponent(made.id)}`).get(), 403, "Forbidden");
    },
  ],
];
