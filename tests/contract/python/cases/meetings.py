from datetime import datetime, timedelta, timezone
from uuid import uuid4

from msgraph.generated.models.allowed_lobby_admitter_roles import AllowedLobbyAdmitterRoles
from msgraph.generated.models.join_meeting_id_settings import JoinMeetingIdSettings
from msgraph.generated.models.lobby_bypass_scope import LobbyBypassScope
from msgraph.generated.models.lobby_bypass_settings import LobbyBypassSettings
from msgraph.generated.models.meeting_chat_mode import MeetingChatMode
from msgraph.generated.models.online_meeting import OnlineMeeting
from msgraph.generated.models.online_meeting_presenters import OnlineMeetingPresenters
from msgraph.generated.users.item.online_meetings.create_or_get.create_or_get_post_request_body import CreateOrGetPostRequestBody

from harness import ENV, GRAPH, at, backed_meeting, configured, equal, find_meetings, host, make_event, make_meeting, refused
from msgraph.generated.models.event import Event

FLAGS = [
    "allow_attendee_to_enable_camera",
    "allow_attendee_to_enable_mic",
    "allow_teamwork_reactions",
    "allow_recording",
    "allow_transcription",
    "is_entry_exit_announced",
    "record_automatically",
]
KNOWN = lambda members: [member for member in members if "nknown" not in member.value]  # noqa: E731
MEMBERS = {
    "allowed_presenters": KNOWN(OnlineMeetingPresenters),
    "allow_meeting_chat": KNOWN(MeetingChatMode),
    "allowed_lobby_admitters": KNOWN(AllowedLobbyAdmitterRoles),
}
NEWER = ["invited", "organizationExcludingGuests"]
START = datetime(2031, 1, 6, 10, tzinfo=timezone.utc)


def item(meeting):
    return host().online_meetings.by_online_meeting_id(meeting.id)


async def defaults():
    made = await make_meeting(subject="Plain")
    equal(made.lobby_bypass_settings.scope, LobbyBypassScope.Organization)
    equal(made.allowed_presenters, OnlineMeetingPresenters.Everyone)
    equal(made.participants.organizer.identity.user.id, ENV["GRAPH_USER"])
    equal(made.join_meeting_id_settings.passcode, None)
    equal(made.end_date_time - made.start_date_time, timedelta(hours=1))


async def times():
    east = timezone(timedelta(hours=2))
    made = await make_meeting(start_date_time=START.astimezone(east), end_date_time=START + timedelta(minutes=30))
    equal(made.start_date_time, START)


async def passcode():
    made = await make_meeting(join_meeting_id_settings=JoinMeetingIdSettings(is_passcode_required=True))
    assert made.join_meeting_id_settings.passcode


def option(name, value, before=None):
    async def run():
        made = await make_meeting(**({} if before is None else {name: before}))
        equal(getattr(await item(made).patch(OnlineMeeting(**{name: value})), name), value)
        equal(getattr(await item(made).get(), name), value)

    return run


def scope(member):
    async def run():
        made = await make_meeting(lobby_bypass_settings=LobbyBypassSettings(is_dial_in_bypass_enabled=True))
        changed = await item(made).patch(OnlineMeeting(lobby_bypass_settings=LobbyBypassSettings(scope=member)))
        settings = changed.lobby_bypass_settings
        equal((settings.scope, settings.is_dial_in_bypass_enabled), (member, True))

    return run


def newer(name):
    async def run():
        member = LobbyBypassScope(name)
        made = await make_meeting(lobby_bypass_settings=LobbyBypassSettings(scope=member))
        equal(made.lobby_bypass_settings.scope, LobbyBypassScope.UnknownFutureValue)
        told = await item(made).get(request_configuration=configured(Prefer="include-unknown-enum-members"))
        equal(told.lobby_bypass_settings.scope, member)

    return run


async def one_per_key():
    body = CreateOrGetPostRequestBody(external_id=str(uuid4()), subject="Once")
    first = await host().online_meetings.create_or_get.post(body)
    second = await host().online_meetings.create_or_get.post(body)
    equal(first.id, second.id)


async def follows():
    made = await make_event()
    await host().events.by_event_id(made.id).patch(Event(start=at(12), end=at(13), subject="Later"))
    [found] = await find_meetings(f"JoinWebUrl eq '{made.online_meeting.join_url}'")
    equal((found.subject, found.start_date_time), ("Later", START + timedelta(hours=2)))


async def by_digits():
    meeting = await backed_meeting()
    digits = meeting.join_meeting_id_settings.join_meeting_id
    [found] = await find_meetings(f"joinMeetingIdSettings/joinMeetingId eq '{digits}'")
    equal(found.id, meeting.id)


async def deleted():
    made = await make_meeting()
    await item(made).delete()
    await refused(item(made).get(), 404, "NotFound")


async def denied():
    meetings = GRAPH.users.by_user_id(ENV["GRAPH_DENIED_USER"]).online_meetings
    await refused(meetings.post(OnlineMeeting(subject="x")), 403, "Forbidden")


async def no_recordings():
    meeting = await backed_meeting()
    equal((await item(meeting).recordings.get()).value, [])


async def not_backed():
    await refused(item(await make_meeting()).recordings.get(), 400, "BadRequest")


def cases():
    yield "defaults", defaults
    yield "times in another zone", times
    yield "a passcode when one is required", passcode
    for name in FLAGS:
        for value in (True, False):
            yield f"{name} {value}", option(name, value, not value)
    for name, members in MEMBERS.items():
        for member in members:
            yield f"{name} {member.value}", option(name, member)
    for member in LobbyBypassScope:
        if member.value not in [*NEWER, "unknownFutureValue"]:
            yield f"lobby scope {member.value}", scope(member)
    for name in NEWER:
        yield f"lobby scope {name} is told to those who ask", newer(name)
    yield "createOrGet makes one per external id", one_per_key
    yield "createOrGet without external id", lambda: refused(
        host().online_meetings.create_or_get.post(CreateOrGetPostRequestBody(subject="x")), 400, "BadRequest"
    )
    yield "the meeting behind an event follows it", follows
    yield "found by its digits", by_digits
    yield "a list without filter", lambda: refused(host().online_meetings.get(), 400, "BadRequest")
    yield "deleted is gone", deleted
    yield "no access policy, no meeting", denied
    yield "a meeting that was not recorded has no recordings", no_recordings
    yield "a stand-alone meeting cannot have any", not_backed
