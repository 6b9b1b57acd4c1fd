// @azure/communication-rooms against the simulator.
import assert from "node:assert/strict";
import { newUser, pages, plainRooms, refused, rooms, roomsWith, signed } from "../acs.mjs";
import { reset } from "../harness.mjs";

const day = 86_400_000;
const version = "api-version=2025-03-13";
const ask = (method, path, more) => signed(method, path, { version, ...more });
const soon = (days) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * day);
const near = (one, other) => Math.abs(one - other) < 60_000;
const raw = (id) => ({ communicationUserId: id });
const listed = async (room) => {
  const { items } = await pages(rooms.listParticipants(room.id));
  return Object.fromEntries(items.map(({ id, role }) => [id.communicationUserId, role]));
};
const twice = { "repeatability-request-id": "2f2b0b5e-0000-1000-8000-000000000000", "repeatability-first-sent": new Date().toUTCString() };

const badRooms = [
  ["validUntil before validFrom", { validFrom: soon(3), validUntil: soon(2) }, "validUntil"],
  ["validUntil in the past", { validUntil: soon(-1) }, "validUntil"],
  ["more than 180 days", { validUntil: soon(181) }, "validUntil"],
  ["a time without offset", { validFrom: "2031-01-01T10:00:00" }, "validFrom"],
  ["dial-out that is no boolean", { pstnDialOutEnabled: "yes" }, "pstnDialOutEnabled"],
  ["participants in a list", { participants: [] }, "participants"],
  ["a phone", { participants: { "4:+14255550100": { role: "Attendee" } } }, "participants['4:+14255550100']"],
  ["a Teams user", { participants: { "8:orgid:x": {} } }, "participants['8:orgid:x']"],
  ["an unknown role", { participants: { "8:acs:r_u": { role: "Organizer" } } }, "participants['8:acs:r_u'].role"],
];

export const cases = [
  [
    "a room is open from now for 180 days",
    async () => {
      for (const client of [rooms, plainRooms]) {
        const room = await client.createRoom();
        assert.match(room.id, /^[0-9]{17}$/);
        assert.ok(near(room.createdOn, Date.now()));
        assert.ok(near(room.validFrom, Date.now()));
        assert.ok(near(room.validUntil, soon(180)));
        assert.equal(room.pstnDialOutEnabled, false);
      }
    },
  ],
  [
    "a room with times, dial-out and people",
    async () => {
      const [host, guest, viewer, helper] = await Promise.all([newUser(), newUser(), newUser(), newUser()]);
      const room = await rooms.createRoom({
        validFrom: soon(1),
        validUntil: soon(2),
        pstnDialOutEnabled: true,
        participants: [{ id: host, role: "Presenter" }, { id: guest }, { id: viewer, role: "Consumer" }, { id: helper, role: "Collaborator" }],
      });
      assert.deepEqual([room.validFrom, room.validUntil, room.pstnDialOutEnabled], [soon(1), soon(2), true]);
      assert.deepEqual(await rooms.getRoom(room.id), room);
      assert.deepEqual(await listed(room), {
        [host.communicationUserId]: "Presenter",
        [guest.communicationUserId]: "Attendee",
        [viewer.communicationUserId]: "Consumer",
        [helper.communicationUserId]: "Collaborator",
      });
    },
  ],
  [
    "what an update does not name stays",
    async () => {
      const room = await rooms.createRoom({ validFrom: soon(1), validUntil: soon(2) });
      const changed = await rooms.updateRoom(room.id, { pstnDialOutEnabled: true });
      assert.deepEqual(changed, { ...room, pstnDialOutEnabled: true });
      const moved = await rooms.updateRoom(room.id, { validFrom: soon(3), validUntil: soon(4) });
      assert.deepEqual(moved, { ...changed, validFrom: soon(3), validUntil: soon(4) });
    },
  ],
  [
    "null is the default in a new room and unchanged in an update",
    async () => {
      const body = JSON.stringify({ validFrom: null, validUntil: null, pstnDialOutEnabled: null, participants: null });
      const made = await ask("POST", "/rooms", { body });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const changed = await ask("PATCH", `/rooms/${made.body.id}`, { body, changed: { "content-type": "application/merge-patch+json" } });
      assert.deepEqual([changed.status, changed.body], [200, made.body]);
    },
  ],
  [
    "a refused update changes nothing",
    async () => {
      const room = await rooms.createRoom();
      await refused(rooms.updateRoom(room.id, { validUntil: soon(-1), pstnDialOutEnabled: true }), 400, "BadRequest");
      assert.deepEqual(await rooms.getRoom(room.id), room);
    },
  ],
  [
    "people are invited, get other roles, and are removed",
    async () => {
      const [one, other] = await Promise.all([newUser(), newUser()]);
      const room = await rooms.createRoom({ participants: [{ id: one, role: "Presenter" }] });
      await rooms.addOrUpdateParticipants(room.id, [{ id: one, role: "Consumer" }, { id: other }]);
      assert.deepEqual(await listed(room), { [one.communicationUserId]: "Consumer", [other.communicationUserId]: "Attendee" });
      await rooms.removeParticipants(room.id, [one]);
      await rooms.removeParticipants(room.id, [one]);
      assert.deepEqual(await listed(room), { [other.communicationUserId]: "Attendee" });
    },
  ],
  [
    "inviting somebody who cannot be invited changes nothing",
    async () => {
      const room = await rooms.createRoom();
      // The client itself lets no phone through.
      const { communicationUserId } = await newUser();
      const body = JSON.stringify({ participants: { [communicationUserId]: {}, "4:+14255550100": {} } });
      const answer = await ask("PATCH", `/rooms/${room.id}/participants`, { body });
      assert.deepEqual([answer.status, answer.body.error.target], [400, "participants['4:+14255550100']"]);
      assert.deepEqual(await listed(room), {});
    },
  ],
  [
    "350 people in pages, and no more",
    async () => {
      const invited = (count) => Array.from({ length: count }, (_, number) => ({ id: raw(`8:acs:r_${number}`), role: "Consumer" }));
      const room = await rooms.createRoom({ participants: invited(350) });
      const { items, sizes } = await pages(rooms.listParticipants(room.id));
      assert.deepEqual(sizes, [100, 100, 100, 50]);
      assert.equal(new Set(items.map(({ id }) => id.communicationUserId)).size, 350);
      await refused(rooms.addOrUpdateParticipants(room.id, [{ id: raw("8:acs:r_more") }]), 400, "BadRequest");
      await refused(rooms.createRoom({ participants: invited(351) }), 400, "BadRequest");
    },
  ],
  [
    "rooms are listed in pages",
    async () => {
      await reset();
      const made = [];
      for (let number = 0; number < 101; number++) made.push((await rooms.createRoom()).id);
      const { items, sizes } = await pages(rooms.listRooms());
      assert.deepEqual(sizes, [100, 1]);
      assert.deepEqual(items.map(({ id }) => id).sort(), made.sort());
      assert.ok(items[0].validUntil instanceof Date);
    },
  ],
  [
    "exactly one page has no next",
    async () => {
      await reset();
      for (let number = 0; number < 100; number++) await plainRooms.createRoom();
      assert.deepEqual((await pages(plainRooms.listRooms())).sizes, [100]);
    },
  ],
  [
    "a link to a page that was not given is 400",
    async () => {
      for (const after of ["x", "abc", "ff"]) {
        const answer = await ask("GET", "/rooms", { version: `${version}&after=${after}` });
        assert.equal(answer.status, 400, after);
      }
    },
  ],
  [
    "a deleted room is gone",
    async () => {
      const room = await rooms.createRoom();
      await rooms.deleteRoom(room.id);
      await refused(rooms.getRoom(room.id), 404, "NotFound");
      await refused(rooms.deleteRoom(room.id), 404, "NotFound");
    },
  ],
  ...[
    ["read", (id) => rooms.getRoom(id)],
    ["update", (id) => rooms.updateRoom(id, { pstnDialOutEnabled: true })],
    ["delete", (id) => rooms.deleteRoom(id)],
    ["list of participants", (id) => pages(rooms.listParticipants(id))],
    ["invitation", (id) => rooms.addOrUpdateParticipants(id, [{ id: raw("8:acs:r_u") }])],
  ].map(([name, act]) => [
    `${name} of an unknown room is 404`,
    async () => {
      for (const id of ["99000000000000000", "no such/room?"]) await refused(act(id), 404, "NotFound");
    },
  ]),
  ...badRooms.map(([name, body, target]) => [
    `${name} is 400 and names it`,
    async () => {
      const answer = await ask("POST", "/rooms", { body: JSON.stringify(body) });
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.equal(answer.body.error.target, target);
      assert.equal(answer.headers.get("x-ms-error-code"), "BadRequest");
    },
  ]),
  [
    "collaborators came with 2025-03-13",
    async () => {
      const body = JSON.stringify({ participants: { "8:acs:r_u": { role: "Collaborator" } } });
      assert.equal((await ask("POST", "/rooms", { body })).status, 201);
      assert.equal((await ask("POST", "/rooms", { body, version: "api-version=2024-04-15" })).status, 400);
    },
  ],
  [
    "a repeated creation makes one room",
    async () => {
      await reset();
      const first = await ask("POST", "/rooms", { body: "{}", changed: twice });
      const again = await ask("POST", "/rooms", { body: "{}", changed: twice });
      assert.deepEqual([first.status, again.status], [201, 201]);
      assert.deepEqual(again.body, first.body);
      assert.equal(again.headers.get("repeatability-result"), "accepted");
      assert.equal((await pages(rooms.listRooms())).items.length, 1);
    },
  ],
  [
    "the client's own repeatability id counts too",
    async () => {
      await reset();
      const policy = {
        name: "same id",
        sendRequest: (request, next) => {
          request.headers.set("Repeatability-Request-ID", "any text");
          return next(request);
        },
      };
      const client = roomsWith({ additionalPolicies: [{ policy, position: "perCall" }] });
      assert.deepEqual(await client.createRoom(), await client.createRoom());
      await refused(client.createRoom({ pstnDialOutEnabled: true }), 400, "BadRequest");
    },
  ],
  ...[
    ["an id without a date", { "repeatability-request-id": "x" }],
    ["a date without an id", { "repeatability-first-sent": new Date().toUTCString() }],
    ["a date that is none", { ...twice, "repeatability-first-sent": "now" }],
    ["an id that is too long", { ...twice, "repeatability-request-id": "x".repeat(129) }],
  ].map(([name, changed]) => [
    `repeatability with ${name} is 400`,
    async () => {
      const answer = await ask("POST", "/rooms", { body: "{}", changed });
      assert.equal(answer.status, 400);
      assert.match(answer.body.error.target, /^repeatability-/);
    },
  ]),
  [
    "a body that is too large is 413",
    async () => {
      const answer = await ask("POST", "/rooms", { body: JSON.stringify({ filler: "x".repeat(1024 * 1024) }) });
      assert.deepEqual([answer.status, answer.body?.error.code], [413, "RequestEntityTooLarge"]);
    },
  ],
];
