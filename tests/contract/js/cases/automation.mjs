// @azure/communication-call-automation against the simulator. Parties behave by their numbers: see the simulator's README.
import assert from "node:assert/strict";
import { CallAutomationClient, DtmfTone } from "@azure/communication-call-automation";
import { acs, identities, key, refused, signed } from "../acs.mjs";
import { advance, reset } from "../harness.mjs";
import { equalKinds, eventGrid, files, incoming, receiver } from "../receiver.mjs";

const options = { retryOptions: { maxRetries: 0 } };
const client = new CallAutomationClient(acs.ACS_CONNECTION_STRING, options);
const plain = new CallAutomationClient(acs.ACS_ENDPOINT_HTTP, { key }, { ...options, allowInsecureConnection: true });
const version = "api-version=2026-03-12";
const ask = (method, path, body) => signed(method, path, { version, body: body === undefined ? "" : JSON.stringify(body) });

const number = (end) => ({ phoneNumber: `+142555501${String(end).padStart(2, "0")}` });
const own = number(90);
const invite = (end) => ({ targetParticipant: number(end), sourceCallIdNumber: own });
const raw = (id) => id.rawId ?? id.communicationUserId ?? `4:${id.phoneNumber}`;
const rings = async () => (await identities.createUserAndToken(["voip"])).user;
const silent = async () => identities.createUser();
const people = (event) => event.participants.map(({ identifier }) => raw(identifier)).sort();

/** A connected call to a number. */
async function calling(end, more = {}) {
  const told = await receiver();
  const { callConnection, callConnectionProperties } = await client.createCall(invite(end), told.url, { operationContext: "placed", ...more });
  const id = callConnectionProperties.callConnectionId;
  await told.next("ParticipantsUpdated", id);
  return { told, id, call: callConnection, media: callConnection.getCallMedia(), party: number(end), properties: callConnectionProperties };
}

const failures = [
  [20, 486, 560486],
  [29, 486, 560486],
  [30, 603, 0],
  [50, 480, 10078],
];

const notThere = [
  ["moveHere", "POST", "/calling/callConnections/x/participants:moveHere"],
  ["startTranscription", "POST", "/calling/callConnections/x:startTranscription"],
  ["startMediaStreaming", "POST", "/calling/callConnections/x:startMediaStreaming"],
  ["recordings", "POST", "/calling/recordings"],
  ["a recording", "GET", "/calling/recordings/x"],
];

const badCalls = [
  ["no targets", { callbackUri: "http://127.0.0.1/x", targets: [] }, "targets"],
  ["null targets", { callbackUri: "http://127.0.0.1/x", targets: null }, "targets"],
  ["nobody for a target", { callbackUri: "http://127.0.0.1/x", targets: [{}] }, "targets[0].rawId"],
  ["a number that is none", { callbackUri: "http://127.0.0.1/x", targets: [{ phoneNumber: { value: "0170" } }] }, "phoneNumber.value"],
  ["no callback", { targets: [{ rawId: "8:echo123" }] }, "callbackUri"],
  ["an http callback elsewhere", { callbackUri: "http://example.com/x", targets: [{ rawId: "8:echo123" }] }, "callbackUri"],
  ["a callback that is no address", { callbackUri: "x", targets: [{ rawId: "8:echo123" }] }, "callbackUri"],
  ["a phone without caller id", { callbackUri: "http://127.0.0.1/x", targets: [{ phoneNumber: { value: "+14255550100" } }] }, "sourceCallerIdNumber"],
  ["a caller id of somebody else", { callbackUri: "http://127.0.0.1/x", targets: [{ phoneNumber: { value: "+14255550100" } }], sourceCallerIdNumber: { value: "+14255550101" } }, "sourceCallerIdNumber"],
  ["somebody twice", { callbackUri: "http://127.0.0.1/x", targets: [{ rawId: "8:echo123" }, { rawId: "8:echo123" }] }, "targets"],
];

export const cases = [
  [
    "a call to a phone is connected, and the application is told in order, signed",
    async () => {
      const { told, id, properties } = await calling(0);
      assert.equal(properties.callConnectionState, "connecting");
      assert.equal(properties.targetParticipants?.[0]?.phoneNumber ?? properties.targets?.[0]?.phoneNumber, number(0).phoneNumber);
      equalKinds(told.kinds(), ["CallConnected", "ParticipantsUpdated"]);
      const [connected, updated] = told.all;
      assert.equal(connected.parsed.operationContext, "placed");
      assert.equal(connected.parsed.serverCallId, properties.serverCallId);
      assert.equal(connected.parsed.correlationId, properties.correlationId);
      assert.deepEqual(people(updated.parsed), [raw(number(0))]);
      assert.equal(connected.list.length, 1);
      assert.equal(connected.list[0].source, `calling/callConnections/${id}`);
      const said = await told.claims(connected);
      assert.equal(said.aud, acs.ACS_RESOURCE_ID);
      assert.equal(said.iss, "https://acscallautomation.communication.azure.com");
      assert.equal(said.exp - said.iat, 300);
    },
  ],
  [
    "over plain HTTP too",
    async () => {
      const told = await receiver();
      await plain.createCall(invite(1), told.url);
      await told.next("CallConnected");
    },
  ],
  [
    "a call says how it stands",
    async () => {
      const { call, id, properties } = await calling(2);
      const read = await call.getCallConnectionProperties();
      assert.equal(read.callConnectionState, "connected");
      assert.equal(read.serverCallId, properties.serverCallId);
      assert.equal(read.callConnectionId, id);
      assert.equal(read.sourceCallerIdNumber?.phoneNumber, own.phoneNumber);
    },
  ],
  [
    "a user with a token is called, the echo bot too",
    async () => {
      for (const target of [await rings(), { id: "8:echo123" }]) {
        const told = await receiver();
        await client.createCall({ targetParticipant: target }, told.url);
        const updated = await told.next("ParticipantsUpdated");
        assert.equal(updated.participants.length, 1);
      }
    },
  ],
  ...failures.map(([end, code, subCode]) => [
    `number ${end} fails with ${code}/${subCode}, and nothing else is told`,
    async () => {
      const told = await receiver();
      const { callConnectionProperties } = await client.createCall(invite(end), told.url, { operationContext: "busy" });
      const failed = await told.next("CreateCallFailed");
      assert.deepEqual([failed.resultInformation.code, failed.resultInformation.subCode], [code, subCode]);
      assert.equal(failed.operationContext, "busy");
      equalKinds(told.kinds(), ["CreateCallFailed"]);
      await refused(client.getCallConnection(callConnectionProperties.callConnectionId).getCallConnectionProperties(), 404, "8522");
    },
  ]),
  [
    "who never answers is given up in the time of the simulator",
    async () => {
      const told = await receiver();
      await client.createCall(invite(40), told.url);
      await advance(114_000);
      equalKinds(told.kinds(), []);
      await advance(2_000);
      const failed = await told.next("CreateCallFailed");
      assert.deepEqual([failed.resultInformation.code, failed.resultInformation.subCode], [487, 10004]);
      await reset();
    },
  ],
  [
    "who hangs up ends a call between two, and that is the last event",
    async () => {
      const { told, id } = await calling(60);
      const ended = await told.next("CallDisconnected", id);
      assert.equal(ended.resultInformation.subCode, 560000);
      equalKinds(told.kinds(), ["CallConnected", "ParticipantsUpdated", "CallDisconnected"]);
    },
  ],
  ...[true, false].map((everyone) => [
    `hanging up (${everyone ? "for everyone" : "one leg"}) ends with CallDisconnected`,
    async () => {
      const { told, id, call } = await calling(3);
      await call.hangUp(everyone);
      const ended = await told.next("CallDisconnected", id);
      assert.equal(ended.resultInformation.subCode, 7000);
      assert.equal(told.kinds().pop(), "CallDisconnected");
      await refused(call.hangUp(everyone), 404, "8522");
    },
  ]),
  [
    "a group is connected with the first who answers, and goes on without the busy",
    async () => {
      const told = await receiver();
      const targets = [number(4), number(20), await rings()];
      const { callConnection } = await client.createGroupCall(targets, told.url, { sourceCallIdNumber: own });
      const updated = await told.next("ParticipantsUpdated", undefined, ({ participants }) => participants.length === 2);
      assert.deepEqual(people(updated), [raw(targets[0]), raw(targets[2])].sort());
      assert.equal(told.kinds()[0], "CallConnected");
      const numbers = told.all.filter(({ kind }) => kind === "ParticipantsUpdated").map(({ parsed }) => parsed.sequenceNumber);
      assert.deepEqual(numbers, [...numbers].sort((one, other) => one - other), "rising");
      assert.equal((await callConnection.listParticipants()).values.length, 2);
    },
  ],
  [
    "somebody is added under the same ids, read, muted, held and removed",
    async () => {
      const { told, id, call, media, properties } = await calling(5);
      const user = await rings();
      const added = await call.addParticipant({ targetParticipant: user }, { operationContext: "add" });
      assert.ok(added.invitationId);
      assert.equal((await told.next("AddParticipantSucceeded", id)).operationContext, "add");
      const updated = await told.next("ParticipantsUpdated", id, ({ participants }) => participants.length === 2);
      assert.equal(updated.serverCallId, properties.serverCallId);
      assert.deepEqual(people(updated), [raw(number(5)), raw(user)].sort());
      assert.equal((await call.getParticipant(user)).isMuted, false);
      await refused(call.addParticipant({ targetParticipant: user }), 400, "8523");

      await call.muteParticipant(user, { operationContext: "mute" });
      await told.next("ParticipantsUpdated", id, ({ participants }) => participants.some(({ isMuted }) => isMuted));
      assert.equal((await call.getParticipant(user)).isMuted, true);
      await refused(call.muteParticipant(number(5)), 400, "8523");

      await media.hold(user);
      await told.next("ParticipantsUpdated", id, ({ participants }) => participants.some(({ isOnHold }) => isOnHold));
      assert.equal((await call.getParticipant(user)).isOnHold, true);
      await media.unhold(user);
      assert.equal((await call.getParticipant(user)).isOnHold, false);

      await call.removeParticipant(user, { operationContext: "gone" });
      assert.equal((await told.next("RemoveParticipantSucceeded", id)).operationContext, "gone");
      await refused(call.getParticipant(user), 404, "8522");
      assert.equal((await call.getCallConnectionProperties()).callConnectionState, "connected");
    },
  ],
  [
    "adding somebody busy fails and tells why",
    async () => {
      const { told, id, call } = await calling(6);
      await call.addParticipant(invite(21), { operationContext: "add" });
      const failed = await told.next("AddParticipantFailed", id);
      assert.deepEqual([failed.resultInformation.code, failed.operationContext], [486, "add"]);
      assert.equal(raw(failed.participant), raw(number(21)));
    },
  ],
  [
    "an invitation runs out in its own time",
    async () => {
      const { told, id, call } = await calling(7);
      await call.addParticipant(invite(41), { invitationTimeoutInSeconds: 10 });
      await advance(11_000);
      assert.equal((await told.next("AddParticipantFailed", id)).resultInformation.subCode, 10004);
      await reset();
    },
  ],
  [
    "an invitation is cancelled, once",
    async () => {
      const { told, id, call } = await calling(8);
      const { invitationId } = await call.addParticipant(invite(42));
      await call.cancelAddParticipantOperation(invitationId, { operationContext: "never mind" });
      const done = await told.next("CancelAddParticipantSucceeded", id);
      assert.deepEqual([done.invitationId, done.operationContext], [invitationId, "never mind"]);
      await call.cancelAddParticipantOperation(invitationId);
      assert.equal((await told.next("CancelAddParticipantFailed", id)).invitationId, invitationId);
    },
  ],
  [
    "removing somebody who is not there fails",
    async () => {
      const { told, id, call } = await calling(9);
      await call.removeParticipant(number(1));
      assert.equal(raw((await told.next("RemoveParticipantFailed", id)).participant), raw(number(1)));
    },
  ],
  [
    "a call of 349 and the application is full",
    async () => {
      const told = await receiver();
      const targets = Array.from({ length: 349 }, (_, place) => ({ id: `8:orgid:${place}` })).map(({ id }) => ({ microsoftTeamsUserId: id.slice(8) }));
      const { callConnection } = await client.createGroupCall(targets, told.url);
      await told.next("ParticipantsUpdated", undefined, ({ participants }) => participants.length === 349);
      await refused(callConnection.addParticipant({ targetParticipant: { id: "8:echo123" } }), 400, "8523");
      assert.equal((await callConnection.listParticipants()).values.length, 349);
      await callConnection.hangUp(true);
    },
  ],
  [
    "an incoming call comes by Event Grid with a handshake, is answered, and both applications are told",
    async () => {
      const sink = await eventGrid();
      const user = await silent();
      const [caller, callee] = [await receiver(), await receiver()];
      const { callConnectionProperties: placed } = await client.createCall({ targetParticipant: user, sourceDisplayName: "Front desk" }, caller.url);
      const { incomingCallContext, from, to, serverCallId, callerDisplayName } = await incoming(user.communicationUserId);
      assert.ok(sink.handshakes >= 1);
      assert.equal(serverCallId, placed.serverCallId);
      assert.equal(to.communicationUser.id, user.communicationUserId);
      assert.ok(from.rawId);
      assert.equal(typeof callerDisplayName, "string");
      const { callConnection, callConnectionProperties } = await client.answerCall(incomingCallContext, callee.url, { operationContext: "taken" });
      assert.notEqual(callConnectionProperties.callConnectionId, placed.callConnectionId);
      assert.equal(callConnectionProperties.serverCallId, placed.serverCallId);
      assert.equal((await callee.next("CallConnected")).operationContext, "taken");
      await callee.next("ParticipantsUpdated");
      await caller.next("ParticipantsUpdated");
      equalKinds(caller.kinds(), ["CallConnected", "ParticipantsUpdated"]);
      await refused(client.answerCall(incomingCallContext, callee.url), 404, "8522");
      await callConnection.hangUp(true);
      await caller.next("CallDisconnected");
      await callee.next("CallDisconnected");
    },
  ],
  ...[
    ["none", 603],
    ["busy", 486],
    ["forbidden", 403],
  ].map(([callRejectReason, code]) => [
    `a call that is rejected (${callRejectReason}) reaches the caller as ${code}`,
    async () => {
      await eventGrid();
      const user = await silent();
      const told = await receiver();
      await client.createCall({ targetParticipant: user }, told.url);
      const { incomingCallContext } = await incoming(user.communicationUserId);
      await client.rejectCall(incomingCallContext, { callRejectReason });
      assert.equal((await told.next("CreateCallFailed")).resultInformation.code, code);
    },
  ]),
  [
    "a call is redirected to somebody who answers, and to somebody who may",
    async () => {
      await eventGrid();
      const [user, other, last] = [await silent(), await silent(), await rings()];
      const told = await receiver();
      await client.createCall({ targetParticipant: user }, told.url);
      const first = await incoming(user.communicationUserId);
      await client.redirectCall(first.incomingCallContext, { targetParticipant: other });
      const second = await incoming(other.communicationUserId);
      assert.equal(second.serverCallId, first.serverCallId);
      await client.redirectCall(second.incomingCallContext, { targetParticipant: last });
      assert.deepEqual(people(await told.next("ParticipantsUpdated")), [raw(last)]);
      await refused(client.redirectCall(first.incomingCallContext, { targetParticipant: last }), 404, "8522");
    },
  ],
  [
    "somebody is handed on, and the application is out",
    async () => {
      const { told, id, call } = await calling(19);
      const user = await rings();
      await call.transferCallToParticipant(user, { operationContext: "over to you" });
      const accepted = await told.next("CallTransferAccepted", id);
      assert.equal(accepted.operationContext, "over to you");
      assert.deepEqual([raw(accepted.transferTarget), raw(accepted.transferee)], [raw(user), raw(number(19))]);
      await told.next("CallDisconnected", id);
      assert.equal(told.kinds().pop(), "CallDisconnected");
    },
  ],
  [
    "handing on to somebody busy fails, and the call goes on",
    async () => {
      const { told, id, call } = await calling(0);
      await call.transferCallToParticipant(number(22), { sourceCallIdNumber: own });
      assert.equal((await told.next("CallTransferFailed", id)).resultInformation.code, 486);
      assert.equal((await call.getCallConnectionProperties()).callConnectionState, "connected");
    },
  ],
  [
    "one of a group is handed on, the others stay",
    async () => {
      const { told, id, call } = await calling(1);
      const [user, other] = [await rings(), await rings()];
      await call.addParticipant({ targetParticipant: user });
      await told.next("AddParticipantSucceeded", id);
      await refused(call.transferCallToParticipant(other), 400, "8523");
      await call.transferCallToParticipant(other, { transferee: user });
      await told.next("CallTransferAccepted", id);
      const left = await told.next("ParticipantsUpdated", id, ({ participants, sequenceNumber }) => participants.length === 1 && sequenceNumber > 2);
      assert.deepEqual(people(left), [raw(number(1))]);
    },
  ],
  [
    "another application connects to a running call by the id that all share",
    async () => {
      const { told, call, properties } = await calling(2);
      const aside = await receiver();
      const { callConnectionProperties, callConnection } = await client.connectCall({ kind: "serverCallLocator", id: properties.serverCallId }, aside.url, { operationContext: "aside" });
      assert.equal(callConnectionProperties.serverCallId, properties.serverCallId);
      assert.notEqual(callConnectionProperties.callConnectionId, properties.callConnectionId);
      assert.equal((await aside.next("CallConnected")).operationContext, "aside");
      assert.deepEqual(people(await aside.next("ParticipantsUpdated")), [raw(number(2))]);
      await callConnection.getCallMedia().playToAll([{ kind: "textSource", text: "To all.", voiceName: "x" }]);
      await aside.next("PlayCompleted");
      await callConnection.hangUp(false);
      await aside.next("CallDisconnected");
      assert.equal((await call.getCallConnectionProperties()).callConnectionState, "connected");
      equalKinds(told.kinds(), ["CallConnected", "ParticipantsUpdated"]);
      await refused(client.connectCall({ kind: "serverCallLocator", id: "bm9uZQ==" }, aside.url), 404, "8522");
    },
  ],
  [
    "a file plays for the length of its header, in the time of the simulator",
    async () => {
      const { told, id, media } = await calling(10);
      const url = await files();
      await media.playToAll([{ kind: "fileSource", url: `${url}/wav-60000` }], { operationContext: "hello" });
      assert.equal((await told.next("PlayStarted", id)).operationContext, "hello");
      assert.ok(!told.kinds().includes("PlayCompleted"));
      await advance(61_000);
      const done = await told.next("PlayCompleted", id);
      assert.deepEqual([done.operationContext, done.resultInformation.code], ["hello", 200]);
      await reset();
    },
  ],
  ...[
    ["none", 8536],
    ["text", 8535],
    ["slow-500", 8535],
  ].map(([path, subCode]) => [
    `a prompt that cannot be played fails (${path}: ${subCode})`,
    async () => {
      const { told, id, media } = await calling(11);
      const url = await files();
      await media.playToAll([{ kind: "fileSource", url: `${url}/wav-10` }, { kind: "fileSource", url: `${url}/${path}` }]);
      const failed = await told.next("PlayFailed", id);
      assert.deepEqual([failed.resultInformation.subCode, failed.failedPlaySourceIndex], [subCode, 1]);
    },
  ]),
  [
    "prompts to all wait for each other, and one to somebody is refused beside another",
    async () => {
      const { told, id, media, party } = await calling(12);
      const text = (text) => [{ kind: "textSource", text, voiceName: "x" }];
      await media.playToAll(text("first"), { operationContext: "first" });
      await media.playToAll(text("second"), { operationContext: "second" });
      await told.next("PlayCompleted", id, ({ operationContext }) => operationContext === "second");
      const order = told.all.filter(({ kind }) => kind.startsWith("Play")).map(({ kind, parsed }) => `${kind} ${parsed.operationContext}`);
      assert.deepEqual(order, ["PlayStarted first", "PlayCompleted first", "PlayStarted second", "PlayCompleted second"]);
      await media.play(text("x".repeat(9000)), [party]);
      await refused(media.play(text("other"), [party]), 412, "8583");
      await media.cancelAllOperations();
      assert.equal((await told.next("PlayCanceled", id)).resultInformation.subCode, 8508);
    },
  ],
  ...[
    ["three are enough", { maxTonesToCollect: 3 }, ["one", "two", "three"], 8531],
    ["until #", { stopDtmfTones: ["pound"] }, ["one", "two", "three"], 8514],
  ].map(([name, more, tones, subCode]) => [
    `tones are recognised: ${name}`,
    async () => {
      const { told, id, media, party } = await calling(70);
      await media.startRecognizing(party, { kind: "callMediaRecognizeDtmfOptions", operationContext: "menu", playPrompt: { kind: "textSource", text: "Press.", voiceName: "x" }, ...more });
      const done = await told.next("RecognizeCompleted", id);
      assert.deepEqual([done.dtmfResult?.tones, done.resultInformation.subCode, done.operationContext], [tones, subCode, "menu"]);
    },
  ]),
  [
    "nothing pressed fails after the silence",
    async () => {
      const { told, id, media, party } = await calling(13);
      await media.startRecognizing(party, { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 1, initialSilenceTimeoutInSeconds: 300 });
      await advance(299_000);
      assert.ok(!told.kinds().includes("RecognizeFailed"));
      await advance(2_000);
      assert.equal((await told.next("RecognizeFailed", id)).resultInformation.subCode, 8510);
      await reset();
    },
  ],
  [
    "a word chooses, and speech is told",
    async () => {
      const { told, id, media, party } = await calling(80);
      const choices = [{ label: "Yes", phrases: ["confirm", "yes"] }, { label: "No", phrases: ["cancel"] }];
      await media.startRecognizing(party, { kind: "callMediaRecognizeChoiceOptions", choices, operationContext: "choice" });
      const chosen = await told.next("RecognizeCompleted", id);
      assert.deepEqual([chosen.choiceResult?.label, chosen.choiceResult?.recognizedPhrase, chosen.resultInformation.subCode], ["Yes", "confirm", 8545]);
      await media.startRecognizing(party, { kind: "callMediaRecognizeSpeechOptions", operationContext: "speech" });
      const said = await told.next("RecognizeCompleted", id, ({ operationContext }) => operationContext === "speech");
      assert.deepEqual([said.speechResult?.speech, said.resultInformation.subCode], ["confirm", 8569]);
    },
  ],
  [
    "tones that are sent come back from who echoes, one by one",
    async () => {
      const { told, id, media, party } = await calling(14);
      await media.startContinuousDtmfRecognition(party, { operationContext: "listen" });
      await media.sendDtmfTones([DtmfTone.Five, DtmfTone.Asterisk], party, { operationContext: "send" });
      assert.equal((await told.next("SendDtmfTonesCompleted", id)).operationContext, "send");
      const second = await told.next("ContinuousDtmfRecognitionToneReceived", id, ({ sequenceId }) => sequenceId === 2);
      assert.deepEqual([second.tone, second.operationContext], ["asterisk", "listen"]);
      await media.stopContinuousDtmfRecognition(party);
      await told.next("ContinuousDtmfRecognitionStopped", id);
    },
  ],
  [
    "an operation's own callback takes its events only",
    async () => {
      const { told, id, call } = await calling(15);
      const aside = await receiver();
      await call.addParticipant({ targetParticipant: await rings() }, { operationCallbackUrl: aside.url });
      await aside.next("AddParticipantSucceeded", id);
      await told.next("ParticipantsUpdated", id, ({ participants }) => participants.length === 2);
      assert.ok(!told.kinds().includes("AddParticipantSucceeded"));
      equalKinds(aside.kinds(), ["AddParticipantSucceeded"]);
    },
  ],
  [
    "a callback that is not taken comes again under the same id, and the next one waits for it",
    async () => {
      const told = await receiver(500, 503);
      await client.createCall(invite(16), told.url);
      await told.next("ParticipantsUpdated");
      equalKinds(told.kinds(), ["CallConnected", "ParticipantsUpdated"]);
      const [first, second, third] = told.attempts;
      assert.ok(first === second && second === third, "the same id");
      assert.equal(told.attempts.length, 4);
    },
  ],
  [
    "a repeated creation places one call",
    async () => {
      const told = await receiver();
      const body = JSON.stringify({ targets: [{ rawId: "8:echo123" }], callbackUri: told.url });
      const changed = { "repeatability-request-id": "one call", "repeatability-first-sent": new Date().toUTCString() };
      const [one, other] = [await signed("POST", "/calling/callConnections", { version, body, changed }), await signed("POST", "/calling/callConnections", { version, body, changed })];
      assert.deepEqual([one.status, other.status], [201, 201]);
      assert.deepEqual(one.body, other.body);
      await told.next("ParticipantsUpdated");
      equalKinds(told.kinds(), ["CallConnected", "ParticipantsUpdated"]);
      await reset();
    },
  ],
  [
    "a call that is not established takes no media and nobody more",
    async () => {
      const told = await receiver();
      const { callConnection } = await client.createCall(invite(43), told.url);
      await refused(callConnection.getCallMedia().playToAll([{ kind: "textSource", text: "x", voiceName: "x" }]), 400, "8501");
      await refused(callConnection.addParticipant(invite(1)), 400, "8501");
      await callConnection.hangUp(false);
      await told.next("CallDisconnected");
    },
  ],
  [
    "who is asked for something and is not there is 404",
    async () => {
      const { media, call } = await calling(17);
      await refused(media.sendDtmfTones([DtmfTone.One], number(1)), 404, "8522");
      await refused(media.hold(number(1)), 404, "8522");
      await refused(call.getParticipant({ id: "8:echo123" }), 404, "8522");
    },
  ],
  ...["getCallConnectionProperties", "listParticipants"].map((name) => [`${name} of an unknown call is 404`, () => refused(client.getCallConnection("nosuch")[name](), 404, "8522")]),
  ...badCalls.map(([name, body, target]) => [
    `${name} is 400 and names ${target}`,
    async () => {
      const answer = await ask("POST", "/calling/callConnections", body);
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.deepEqual([answer.body.error.code, answer.body.error.target.split(".").pop()], ["8523", target.split(".").pop()]);
    },
  ]),
  [
    "19 tones are too many, 18 are not",
    async () => {
      const { id, party } = await calling(18);
      const send = (count) => ask("POST", `/calling/callConnections/${id}:sendDtmfTones`, { tones: Array(count).fill("one"), targetParticipant: { phoneNumber: { value: party.phoneNumber } } });
      assert.equal((await send(18)).status, 202);
      assert.equal((await send(19)).status, 400);
    },
  ],
  [
    "a wrong signature is 7509",
    async () => {
      const answer = await signed("POST", "/calling/callConnections", { version, with: Buffer.from("no").toString("base64") });
      assert.deepEqual([answer.status, answer.body.error.code], [401, "7509"]);
    },
  ],
  ...notThere.map(([name, method, path]) => [
    `${name} is not there, and says so`,
    async () => {
      const answer = await ask(method, path, method === "POST" ? {} : undefined);
      assert.deepEqual([answer.status, answer.body.error.code], [501, "NotImplemented"]);
    },
  ]),
];
