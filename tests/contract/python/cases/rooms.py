"""azure-communication-rooms against the simulator. This client signs the path as it is decoded, and sends null for what it does not name."""

import uuid
from datetime import datetime, timedelta, timezone

from azure.communication.identity import CommunicationUserIdentifier
from azure.communication.rooms import ParticipantRole, RoomParticipant

from acs import PLAIN_ROOMS, ROOMS, moment, new_user, refused
from harness import equal, reset


def soon(days):
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)


def near(one, other):
    return abs(moment(one) - other) < timedelta(minutes=1)


def user(number):
    return CommunicationUserIdentifier(f"8:acs:r_{number}")


def invited(count):
    return [RoomParticipant(communication_identifier=user(number), role=ParticipantRole.CONSUMER) for number in range(count)]


def listed(room):
    return {one.communication_identifier.raw_id: one.role for one in ROOMS.list_participants(room.id)}


async def defaults():
    for client in (ROOMS, PLAIN_ROOMS):
        room = client.create_room()
        assert room.id.isdigit() and len(room.id) == 17, room.id
        assert near(room.created_at, soon(0)) and near(room.valid_from, soon(0)), room
        assert near(room.valid_until, soon(180)), room.valid_until
        equal(room.pstn_dial_out_enabled, False)


async def full():
    host, guest, helper = new_user(), new_user(), new_user()
    people = [
        RoomParticipant(communication_identifier=host, role=ParticipantRole.PRESENTER),
        RoomParticipant(communication_identifier=guest),
        RoomParticipant(communication_identifier=helper, role=ParticipantRole.COLLABORATOR),
    ]
    start, end = soon(1), soon(2)
    room = ROOMS.create_room(valid_from=start, valid_until=end, pstn_dial_out_enabled=True, participants=people)
    equal((moment(room.valid_from), moment(room.valid_until), room.pstn_dial_out_enabled), (start, end, True))
    equal(moment(ROOMS.get_room(room.id).valid_until), end)
    equal(listed(room), {host.raw_id: "Presenter", guest.raw_id: "Attendee", helper.raw_id: "Collaborator"})


async def stays():
    start, end = soon(1), soon(2)
    room = ROOMS.create_room(valid_from=start, valid_until=end)
    room = ROOMS.update_room(room_id=room.id, pstn_dial_out_enabled=True)
    equal((moment(room.valid_from), moment(room.valid_until), room.pstn_dial_out_enabled), (start, end, True))
    room = PLAIN_ROOMS.update_room(room_id=room.id, valid_from=soon(3), valid_until=soon(4))
    equal(room.pstn_dial_out_enabled, True)
    assert near(room.valid_until, soon(4))


async def people():
    one, other = new_user(), new_user()
    room = ROOMS.create_room(participants=[RoomParticipant(communication_identifier=one, role=ParticipantRole.PRESENTER)])
    ROOMS.add_or_update_participants(
        room_id=room.id,
        participants=[
            RoomParticipant(communication_identifier=one, role=ParticipantRole.CONSUMER),
            RoomParticipant(communication_identifier=other),
        ],
    )
    equal(listed(room), {one.raw_id: "Consumer", other.raw_id: "Attendee"})
    ROOMS.remove_participants(room_id=room.id, participants=[one])
    PLAIN_ROOMS.remove_participants(room_id=room.id, participants=[one])
    equal(listed(room), {other.raw_id: "Attendee"})


async def bounded():
    room = ROOMS.create_room(participants=invited(350))
    pages = [len(list(page)) for page in ROOMS.list_participants(room.id).by_page()]
    equal(pages, [100, 100, 100, 50])
    equal(len(listed(room)), 350)
    more = [RoomParticipant(communication_identifier=user("more"))]
    refused(lambda: ROOMS.add_or_update_participants(room_id=room.id, participants=more), 400, "BadRequest")


async def paged():
    reset()
    made = {PLAIN_ROOMS.create_room().id for _ in range(101)}
    equal([len(list(page)) for page in PLAIN_ROOMS.list_rooms().by_page()], [100, 1])
    equal({room.id for room in ROOMS.list_rooms()}, made)


async def deleted():
    room = ROOMS.create_room()
    ROOMS.delete_room(room.id)
    refused(lambda: ROOMS.get_room(room.id), 404, "NotFound")


def unknown(act):
    async def run():
        for room in ("99000000000000000", "no such:room"):
            refused(lambda: act(room), 404, "NotFound")

    return run


def wrong(members):
    async def run():
        refused(lambda: ROOMS.create_room(**members()), 400, "BadRequest")

    return run


async def once():
    reset()
    # By itself this client sends a UUID of version 1, a new one each time.
    headers = {"Repeatability-Request-ID": str(uuid.uuid1())}
    again = lambda request: request.http_request.headers.update(headers)
    equal(ROOMS.create_room(raw_request_hook=again).id, ROOMS.create_room(raw_request_hook=again).id)
    equal(len(list(ROOMS.list_rooms())), 1)


def cases():
    yield "a room is open from now for 180 days", defaults
    yield "a room with times, dial-out and people", full
    yield "what an update does not name stays, although null is sent", stays
    yield "people are invited, get other roles, and are removed", people
    yield "350 people in pages, and no more", bounded
    yield "rooms are listed in pages", paged
    yield "a deleted room is gone", deleted
    yield "read of an unknown room is 404", unknown(ROOMS.get_room)
    yield "update of an unknown room is 404", unknown(lambda room: ROOMS.update_room(room_id=room, pstn_dial_out_enabled=True))
    yield "delete of an unknown room is 404", unknown(ROOMS.delete_room)
    yield "participants of an unknown room are 404", unknown(lambda room: list(ROOMS.list_participants(room)))
    yield "validUntil before validFrom is 400", wrong(lambda: {"valid_from": soon(3), "valid_until": soon(2)})
    yield "validUntil in the past is 400", wrong(lambda: {"valid_until": soon(-1)})
    yield "more than 180 days are 400", wrong(lambda: {"valid_until": soon(181)})
    yield "a repeated creation makes one room", once
