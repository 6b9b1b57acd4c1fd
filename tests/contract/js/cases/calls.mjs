import assert from "node:assert/strict";
import { advance, backedMeeting, callInto, comes, graph, join, makeMeeting, refused } from "../harness.mjs";

const calls = "/communications/calls";

async function finished(call, begun) {
  assert.equal(begun.status, "running");
  await advance(60);
  return graph.api(`${calls}/${call.id}/operations/${begun.id}`).version("beta").get();
}

const act = async (call, action, body = {}) => finished(call, await graph.api(`${calls}/${call.id}/${action}`).version("beta").post(body));

const wrong = [
  ["no callback", { callbackUri: undefined }],
  ["a callback that is no address", { callbackUri: "here" }],
  ["an unknown modality", { requestedModalities: ["smell"] }],
  ["no meeting and no target", { meetingInfo: undefined }],
  ["an unknown kind of meeting", { meetingInfo: { "@odata.type": "#microsoft.graph.nothing" } }],
];

export const cases = [
  [
    "join, connect, hang up",
    async () => {
      const call = await graph.api(calls).post(join(await backedMeeting()));
      assert.equal(call.state, "establishing");
      assert.equal(call.direction, "outgoing");
      await advance(60);
      assert.equal((await graph.api(`${calls}/${call.id}`).get()).state, "established");
      await graph.api(`${calls}/${call.id}`).delete();
      await refused(graph.api(`${calls}/${call.id}`).get(), 404, "NotFound");
    },
  ],
  [
    "join by digits and passcode",
    async () => {
      const meeting = await makeMeeting({ joinMeetingIdSettings: { isPasscodeRequired: true } });
      const { joinMeetingId, passcode } = meeting.joinMeetingIdSettings;
      const info = (passcode) => ({ "@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo", joinMeetingId, passcode });
      await refused(graph.api(calls).post({ ...join(meeting), meetingInfo: info("wrong") }), 404, "NotFound");
      assert.ok((await graph.api(calls).post({ ...join(meeting), meetingInfo: info(passcode) })).id);
    },
  ],
  ...wrong.map(([name, changes]) => [
    `join with ${name}`,
    async () => refused(graph.api(calls).post({ ...join(await backedMeeting()), ...changes }), 400, "BadRequest"),
  ]),
  [
    "join where no meeting is",
    async () => {
      const meeting = await backedMeeting();
      meeting.chatInfo.threadId = "19:meeting_none@thread.v2";
      await refused(graph.api(calls).post(join(meeting)), 404, "NotFound");
    },
  ],
  [
    "keepAlive answers an empty 200 that the client can read",
    async () => {
      const call = await callInto(await backedMeeting());
      await graph.api(`${calls}/${call.id}/keepAlive`).post({});
      await graph.api(`${calls}/${call.id}`).delete();
      await refused(graph.api(`${calls}/${call.id}/keepAlive`).post({}), 404, "NotFound");
    },
  ],
  [
    "the roster tells who is in the lobby",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      await comes(meeting, "organizer");
      const guest = await comes(meeting, "guest", "A Guest");
      const { value } = await graph.api(`${calls}/${call.id}/participants`).get();
      assert.deepEqual(value.map((one) => one.isInLobby), [false, true, false]);
      const waiting = value.find((one) => one.id === guest.id);
      assert.equal(waiting.info.identity.guest.displayName, "A Guest");
    },
  ],
  [
    "a guest is admitted",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      const guest = await comes(meeting, "guest");
      const done = await act(call, `participants/${guest.id}/admitFromLobby`, { clientContext: "mine" });
      assert.deepEqual([done.status, done.clientContext], ["completed", "mine"]);
      assert.equal((await graph.api(`${calls}/${call.id}/participants/${guest.id}`).get()).isInLobby, false);
    },
  ],
  [
    "all are admitted",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      for (let guests = 0; guests < 3; guests++) await comes(meeting, "guest");
      await act(call, "participants/admitAllFromLobby");
      const { value } = await graph.api(`${calls}/${call.id}/participants`).get();
      assert.deepEqual(value.map((one) => one.isInLobby), [false, false, false, false]);
    },
  ],
  [
    "a guest is sent away",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      const guest = await comes(meeting, "guest");
      await act(call, `participants/${guest.id}/removeFromLobby`);
      await refused(graph.api(`${calls}/${call.id}/participants/${guest.id}`).get(), 404, "NotFound");
    },
  ],
  [
    "a person is put out",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      const person = await comes(meeting, "user");
      await graph.api(`${calls}/${call.id}/participants/${person.id}`).delete();
      await refused(graph.api(`${calls}/${call.id}/participants/${person.id}`).get(), 404, "NotFound");
    },
  ],
  [
    "recording starts once and stops once",
    async () => {
      const meeting = await backedMeeting();
      const call = await callInto(meeting);
      await comes(meeting, "organizer");
      assert.equal((await act(call, "startRecording")).status, "completed");
      assert.equal((await act(call, "startRecording")).status, "failed");
      assert.equal((await act(call, "stopRecording")).status, "completed");
      const again = await act(call, "stopRecording");
      assert.equal(again.status, "failed");
      assert.ok(again.resultInfo.subcode > 0);
    },
  ],
  [
    "clientContext is short",
    async () => {
      const call = await callInto(await backedMeeting());
      const long = graph.api(`${calls}/${call.id}/startRecording`).version("beta").post({ clientContext: "x".repeat(257) });
      await refused(long, 400, "BadRequest");
    },
  ],
];
