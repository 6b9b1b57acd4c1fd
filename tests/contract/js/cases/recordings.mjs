import assert from "node:assert/strict";
import { advance, backedMeeting, callInto, comes, graph, host, makeMeeting, refused } from "../harness.mjs";

const below = (meeting, rest = "") => graph.api(`${host}/onlineMeetings/${encodeURIComponent(meeting.id)}/recordings${rest}`);

async function recorded() {
  const meeting = await backedMeeting();
  const call = await callInto(meeting);
  await comes(meeting, "organizer");
  for (const action of ["startRecording", "stopRecording"]) {
    await graph.api(`/communications/calls/${call.id}/${action}`).version("beta").post({});
    await advance(2_000);
  }
  return { meeting, call };
}

export const cases = [
  [
    "a recording is listed with what joins it",
    async () => {
      const { meeting, call } = await recorded();
      const { value } = await below(meeting).get();
      assert.equal(value.length, 1);
      assert.equal(value[0].meetingId, meeting.id);
      assert.equal(value[0].callId, call.id);
      assert.ok(value[0].contentCorrelationId);
      assert.equal((await below(meeting, `/${value[0].id}`).get()).id, value[0].id);
    },
  ],
  [
    "its content is an MP4 that the client streams",
    async () => {
      const { meeting } = await recorded();
      const { value } = await below(meeting).get();
      const stream = await below(meeting, `/${value[0].id}/content`).getStream();
      const parts = [];
      for await (const part of stream) parts.push(part);
      const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
      assert.equal(bytes.subarray(4, 8).toString(), "ftyp");
    },
  ],
  ["a meeting that was not recorded has none", async () => assert.deepEqual((await below(await backedMeeting()).get()).value, [])],
  ["a stand-alone meeting cannot have any", async () => refused(below(await makeMeeting()).get(), 400, "BadRequest")],
  ["a recording that never was", async () => refused(below(await backedMeeting(), "/none").get(), 404, "NotFound")],
];
