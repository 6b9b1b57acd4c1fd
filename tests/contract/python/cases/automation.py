"""azure-communication-callautomation against the simulator. Parties behave by their numbers: see the simulator's README."""

from azure.communication.callautomation import (
    CallAutomationClient,
    CommunicationUserIdentifier,
    DtmfTone,
    PhoneNumberIdentifier,
    RecognitionChoice,
    RecognizeInputType,
    TextSource,
    UnknownIdentifier,
)

from acs import ACS, IDENTITIES, both, claims, new_user, refused
from harness import advance, equal, reset
from receiver import GRID, Receiver

CLIENT, PLAIN = both(CallAutomationClient)


def number(end):
    return PhoneNumberIdentifier(f"+142555501{end:02}")


OWN = number(90)


def rings():
    return IDENTITIES.create_user_and_token(["voip"])[0]


def raw(event):
    return sorted(one["identifier"]["rawId"] for one in event["participants"])


def calling(end):
    """A connected call to a number."""
    told = Receiver()
    made = CLIENT.create_call(number(end), told.url, source_caller_id_number=OWN, operation_context="placed")
    told.next("ParticipantsUpdated")
    return told, CLIENT.get_call_connection(made.call_connection_id), made


async def connected():
    told, call, made = calling(0)
    equal(told.kinds(), ["CallConnected", "ParticipantsUpdated"])
    event, token = told.all[0]
    equal(event.data["operationContext"], "placed")
    equal(event.data["serverCallId"], made.server_call_id)
    equal(claims(token.removeprefix("Bearer "))["aud"], ACS["ACS_RESOURCE_ID"])
    equal(call.get_call_properties().call_connection_state, "connected")
    equal(made.source_caller_id_number.properties["value"], OWN.properties["value"])


async def plain():
    told = Receiver()
    PLAIN.create_call(number(1), told.url, source_caller_id_number=OWN)
    told.next("CallConnected")


async def parties():
    for target in (rings(), UnknownIdentifier("8:echo123")):
        told = Receiver()
        CLIENT.create_call(target, told.url)
        equal(raw(told.next("ParticipantsUpdated")), [target.raw_id])


def failing(end, code, sub_code):
    async def run():
        told = Receiver()
        CLIENT.create_call(number(end), told.url, source_caller_id_number=OWN)
        result = told.next("CreateCallFailed")["resultInformation"]
        equal((result["code"], result["subCode"]), (code, sub_code))
        equal(told.kinds(), ["CreateCallFailed"])

    return run


async def unanswered():
    told = Receiver()
    CLIENT.create_call(number(40), told.url, source_caller_id_number=OWN)
    advance(116_000)
    equal(told.next("CreateCallFailed")["resultInformation"]["subCode"], 10_004)
    reset()


async def hung_up():
    told, call, _ = calling(2)
    call.hang_up(is_for_everyone=True)
    told.next("CallDisconnected")
    equal(told.kinds()[-1], "CallDisconnected")
    refused(call.get_call_properties, 404, "8522")


async def group():
    told = Receiver()
    user = rings()
    CLIENT.create_group_call([number(3), user], told.url, source_caller_id_number=OWN)
    told.next("ParticipantsUpdated", lambda data: len(data["participants"]) == 2)
    equal(told.kinds()[0], "CallConnected")


async def people():
    told, call, _ = calling(4)
    user = rings()
    added = call.add_participant(user, operation_context="add")
    assert added.invitation_id
    equal(told.next("AddParticipantSucceeded")["operationContext"], "add")
    told.next("ParticipantsUpdated", lambda data: len(data["participants"]) == 2)
    equal(sorted(one.identifier.raw_id for one in call.list_participants()), sorted([user.raw_id, number(4).raw_id]))
    call.mute_participant(user)
    equal(call.get_participant(user).is_muted, True)
    call.hold(user)
    equal(call.get_participant(user).is_on_hold, True)
    call.unhold(user)
    equal(call.get_participant(user).is_on_hold, False)
    call.remove_participant(user)
    told.next("RemoveParticipantSucceeded")
    refused(lambda: call.get_participant(user), 404, "8522")


async def cancelled():
    told, call, _ = calling(5)
    added = call.add_participant(number(42), source_caller_id_number=OWN)
    call.cancel_add_participant_operation(added.invitation_id)
    equal(told.next("CancelAddParticipantSucceeded")["invitationId"], added.invitation_id)


async def busy():
    told, call, _ = calling(6)
    call.add_participant(number(21), source_caller_id_number=OWN)
    equal(told.next("AddParticipantFailed")["resultInformation"]["code"], 486)


async def answered():
    user = new_user()
    caller, callee = Receiver(), Receiver()
    CLIENT.create_call(user, caller.url)
    incoming = GRID.incoming(user.raw_id)
    CLIENT.answer_call(incoming["incomingCallContext"], callee.url)
    callee.next("ParticipantsUpdated")
    caller.next("ParticipantsUpdated")
    equal(caller.kinds()[0], "CallConnected")


def rejected(reason, code):
    async def run():
        user = new_user()
        told = Receiver()
        CLIENT.create_call(user, told.url)
        CLIENT.reject_call(GRID.incoming(user.raw_id)["incomingCallContext"], call_reject_reason=reason)
        equal(told.next("CreateCallFailed")["resultInformation"]["code"], code)

    return run


async def redirected():
    user, other = new_user(), rings()
    told = Receiver()
    CLIENT.create_call(user, told.url)
    CLIENT.redirect_call(GRID.incoming(user.raw_id)["incomingCallContext"], other)
    equal(raw(told.next("ParticipantsUpdated")), [other.raw_id])


async def played():
    told, call, _ = calling(7)
    call.play_media_to_all(TextSource(text="Good morning.", voice_name="x"), operation_context="hello")
    equal(told.next("PlayCompleted")["operationContext"], "hello")


async def stopped():
    told, call, _ = calling(8)
    call.play_media(TextSource(text="x" * 9_000, voice_name="x"), play_to="all", loop=True)
    call.cancel_all_media_operations()
    equal(told.next("PlayCanceled")["resultInformation"]["subCode"], 8_508)


async def tones():
    told, call, _ = calling(71)
    call.start_recognizing_media(RecognizeInputType.DTMF, number(71), dtmf_max_tones_to_collect=4, operation_context="menu")
    done = told.next("RecognizeCompleted")
    equal(done["dtmfResult"]["tones"], ["one", "two", "three", "pound"])
    equal((done["resultInformation"]["subCode"], done["operationContext"]), (8_531, "menu"))


async def choice():
    told, call, _ = calling(81)
    choices = [RecognitionChoice(label="Yes", phrases=["confirm"]), RecognitionChoice(label="No", phrases=["cancel"])]
    call.start_recognizing_media(RecognizeInputType.CHOICES, number(81), choices=choices)
    equal(told.next("RecognizeCompleted")["choiceResult"]["label"], "Yes")


async def echoed():
    told, call, _ = calling(12)
    call.start_continuous_dtmf_recognition(number(12))
    call.send_dtmf_tones([DtmfTone.NINE, DtmfTone.POUND], number(12), operation_context="send")
    equal(told.next("SendDtmfTonesCompleted")["operationContext"], "send")
    second = told.next("ContinuousDtmfRecognitionToneReceived", lambda data: data["sequenceId"] == 2)
    equal(second["tone"], "pound")


async def unknown():
    call = CLIENT.get_call_connection("nosuch")
    refused(call.get_call_properties, 404, "8522")
    refused(lambda: call.hang_up(True), 404, "8522")
    refused(lambda: CLIENT.answer_call("nosuch", "http://127.0.0.1/x"), 404, "8522")


async def elsewhere():
    refused(lambda: CLIENT.create_call(CommunicationUserIdentifier("8:acs:r_u"), "http://example.com/x"), 400, "8523")


async def anonymous():
    told = Receiver()
    refused(lambda: CLIENT.create_call(number(1), told.url), 400, "8523")
    refused(lambda: CLIENT.create_call(number(1), told.url, source_caller_id_number=number(1)), 400, "8523")


async def handed_on():
    told, call, _ = calling(9)
    user = rings()
    call.transfer_call_to_participant(user, operation_context="over to you")
    accepted = told.next("CallTransferAccepted")
    equal((accepted["operationContext"], accepted["transferTarget"]["rawId"]), ("over to you", user.raw_id))
    told.next("CallDisconnected")


async def not_handed_on():
    told, call, _ = calling(10)
    call.transfer_call_to_participant(number(23), source_caller_id_number=OWN)
    equal(told.next("CallTransferFailed")["resultInformation"]["code"], 486)
    equal(call.get_call_properties().call_connection_state, "connected")


async def joined():
    _, _, made = calling(11)
    aside = Receiver()
    leg = CLIENT.connect_call(aside.url, server_call_id=made.server_call_id)
    equal(leg.server_call_id, made.server_call_id)
    equal(raw(aside.next("ParticipantsUpdated")), [number(11).raw_id])


async def not_there():
    _, call, _ = calling(13)
    refused(lambda: call.start_transcription(), 501, "NotImplemented")


def cases():
    yield "a call to a phone is connected, and the application is told in order, signed", connected
    yield "over plain HTTP too", plain
    yield "a user with a token is called, the echo bot too", parties
    for end, code, sub_code in ((22, 486, 560_486), (31, 603, 0), (51, 480, 10_078)):
        yield f"number {end} fails with {code}/{sub_code}", failing(end, code, sub_code)
    yield "who never answers is given up in the time of the simulator", unanswered
    yield "hanging up ends with CallDisconnected", hung_up
    yield "a group is connected with the first who answers", group
    yield "somebody is added, muted, held and removed", people
    yield "an invitation is cancelled", cancelled
    yield "adding somebody busy fails", busy
    yield "an incoming call is answered", answered
    for reason, code in (("none", 603), ("busy", 486), ("forbidden", 403)):
        yield f"a call that is rejected ({reason}) reaches the caller as {code}", rejected(reason, code)
    yield "a call is redirected", redirected
    yield "a text plays", played
    yield "what plays is cancelled", stopped
    yield "tones are recognised", tones
    yield "a word chooses", choice
    yield "tones that are sent come back", echoed
    yield "an unknown call is 404", unknown
    yield "a callback over http elsewhere is refused", elsewhere
    yield "a phone is called under a number of one's own only", anonymous
    yield "somebody is handed on", handed_on
    yield "handing on to somebody busy fails", not_handed_on
    yield "another application connects to a running call", joined
    yield "what is not there says so", not_there
