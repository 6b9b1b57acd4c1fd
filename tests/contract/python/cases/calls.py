from msgraph.generated.models.call import Call
from msgraph.generated.models.call_state import CallState
from msgraph.generated.models.chat_info import ChatInfo
from msgraph.generated.models.identity import Identity
from msgraph.generated.models.identity_set import IdentitySet
from msgraph.generated.models.join_meeting_id_meeting_info import JoinMeetingIdMeetingInfo
from msgraph.generated.models.join_meeting_id_settings import JoinMeetingIdSettings
from msgraph.generated.models.modality import Modality
from msgraph.generated.models.organizer_meeting_info import OrganizerMeetingInfo
from msgraph.generated.models.service_hosted_media_config import ServiceHostedMediaConfig

from harness import ENV, GRAPH, advance, backed_meeting, comes, equal, make_meeting, refused

CALLS = GRAPH.communications.calls


def joining(meeting, **changes):
    call = Call(
        callback_uri="https://bot.example/callback",
        requested_modalities=[Modality.Audio],
        media_config=ServiceHostedMediaConfig(),
        chat_info=ChatInfo(thread_id=meeting.chat_info.thread_id, message_id="0"),
        meeting_info=OrganizerMeetingInfo(
            organizer=IdentitySet(user=Identity(id=ENV["GRAPH_USER"], additional_data={"tenantId": ENV["GRAPH_TENANT"]}))
        ),
    )
    for name, value in changes.items():
        setattr(call, name, value)
    return call


def item(call):
    return CALLS.by_call_id(call.id)


async def call_into(meeting):
    call = await CALLS.post(joining(meeting))
    advance(60)
    return call


async def join_and_leave():
    call = await CALLS.post(joining(await backed_meeting()))
    equal(call.state, CallState.Establishing)
    advance(60)
    equal((await item(call).get()).state, CallState.Established)
    await item(call).delete()
    await refused(item(call).get(), 404, "NotFound")


async def by_digits():
    meeting = await make_meeting(join_meeting_id_settings=JoinMeetingIdSettings(is_passcode_required=True))
    settings = meeting.join_meeting_id_settings
    for passcode, opens in [("wrong", False), (settings.passcode, True)]:
        info = JoinMeetingIdMeetingInfo(join_meeting_id=settings.join_meeting_id, passcode=passcode)
        joined = CALLS.post(joining(meeting, meeting_info=info))
        if opens:
            assert (await joined).id
        else:
            await refused(joined, 404, "NotFound")


async def keep_alive():
    call = await call_into(await backed_meeting())
    await item(call).keep_alive.post()
    await item(call).delete()
    await refused(item(call).keep_alive.post(), 404, "NotFound")


async def roster():
    meeting = await backed_meeting()
    call = await call_into(meeting)
    comes(meeting, "organizer")
    guest = comes(meeting, "guest", "A Guest")
    people = (await item(call).participants.get()).value
    equal([one.is_in_lobby for one in people], [False, True, False])
    await item(call).participants.by_participant_id(guest["id"]).delete()
    equal(len((await item(call).participants.get()).value), 2)


def wrong(**changes):
    async def run():
        await refused(CALLS.post(joining(await backed_meeting(), **changes)), 400, "BadRequest")

    return run


def cases():
    yield "join, connect, hang up", join_and_leave
    yield "join by digits and passcode", by_digits
    yield "keepAlive", keep_alive
    yield "the roster, and putting a person out", roster
    yield "join without a callback", wrong(callback_uri=None)
    yield "join without a meeting", wrong(meeting_info=None)
    yield "join by something else", wrong(meeting_info=OrganizerMeetingInfo(odata_type="#microsoft.graph.nothing"))
