from uuid import uuid4

from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.attendee_type import AttendeeType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.importance import Importance
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.location import Location
from msgraph.generated.models.online_meeting_provider_type import OnlineMeetingProviderType
from msgraph.generated.models.sensitivity import Sensitivity
from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody

from harness import ENV, at, configured, control, equal, event, host, make_event, refused

KEPT = [
    ("subject", "Überprüfung – 点検 \U0001f9ea"),
    *[("importance", member) for member in Importance],
    *[("sensitivity", member) for member in Sensitivity],
    *[("show_as", member) for member in FreeBusyStatus],
    ("is_reminder_on", True),
    ("reminder_minutes_before_start", 20),
    ("response_requested", False),
    ("allow_new_time_proposals", False),
    ("hide_attendees", True),
    ("categories", ["blue", "red"]),
    ("location.display_name", Location(display_name="Room 1")),
    ("body.content", ItemBody(content_type=BodyType.Html, content="<p>Hello</p>")),
]
ZONES = [
    ("UTC", "2031-01-06T10:00:00.0000000"),
    ("Europe/Berlin", "2031-01-06T11:00:00.0000000"),
    ("America/New_York", "2031-01-06T05:00:00.0000000"),
]
WRONG = [
    ("no start", {"start": None}, "ErrorPropertyValidationFailure"),
    ("end before start", {"end": at(9)}, "ErrorPropertyValidationFailure"),
    ("a zone that is none", {"start": at(10, "Middle Earth Time")}, "TimeZoneNotSupportedException"),
    ("another provider", {"online_meeting_provider": OnlineMeetingProviderType.SkypeForConsumer}, "ErrorPropertyValidationFailure"),
]


def inside(value, path):
    for name in path.split("."):
        value = getattr(value, name)
    return value


def item(id):
    return host().events.by_event_id(id)


async def online():
    made = await make_event()
    assert made.online_meeting.join_url.startswith("https://teams.microsoft.com/l/meetup-join/")
    equal(made.online_meeting_provider, OnlineMeetingProviderType.TeamsForBusiness)
    equal(made.organizer.email_address.address, ENV["GRAPH_USER_EMAIL"])
    equal(made.start.date_time, "2031-01-06T10:00:00.0000000")
    assert made.created_date_time.tzinfo is not None


async def with_attendee():
    guest = Attendee(type=AttendeeType.Required, email_address=EmailAddress(name="A Guest", address="guest@example.com"))
    made = await make_event(attendees=[guest])
    read = await item(made.id).get()
    equal(read.attendees[0].email_address.address, "guest@example.com")
    equal(read.attendees[0].type, AttendeeType.Required)


def kept(path, value):
    name, *rest = path.split(".")
    wanted = inside(value, rest[0]) if rest else value

    async def run():
        made = await make_event(**{name: value})
        equal(inside(await item(made.id).get(), path), wanted)

    return run


def changed(path, value):
    name, *rest = path.split(".")
    wanted = inside(value, rest[0]) if rest else value

    async def run():
        made = await make_event()
        answer = await item(made.id).patch(Event(**{name: value}))
        equal(inside(answer, path), wanted)

    return run


def in_zone(zone, wanted):
    async def run():
        made = await make_event()
        read = await item(made.id).get(request_configuration=configured(Prefer=f'outlook.timezone="{zone}"'))
        equal((read.start.date_time, read.start.time_zone), (wanted, zone))

    return run


async def once():
    key = str(uuid4())
    first, second = await make_event(transaction_id=key), await make_event(transaction_id=key)
    equal(first.id, second.id)


async def conflicts():
    key = str(uuid4())
    await make_event(transaction_id=key)
    control("POST", "repeats", {"conflict": True})
    try:
        await refused(make_event(transaction_id=key), 409, "ErrorDuplicateTransactionId")
    finally:
        control("POST", "repeats", {"conflict": False})


async def deleted():
    made = await make_event()
    await item(made.id).delete()
    await refused(item(made.id).get(), 404, "ErrorItemNotFound")


async def cancelled():
    made = await make_event()
    await item(made.id).cancel.post(CancelPostRequestBody(comment="We are sorry."))
    await refused(item(made.id).get(), 404, "ErrorItemNotFound")


async def below_calendar():
    made = await host().calendar.events.post(event())
    equal((await item(made.id).get()).id, made.id)


def cases():
    yield "an online event", online
    yield "an attendee is kept", with_attendee
    for path, value in KEPT:
        yield f"{path} {value if not hasattr(value, 'odata_type') else ''} is kept", kept(path, value)
        yield f"{path} {value if not hasattr(value, 'odata_type') else ''} is changed", changed(path, value)
    for zone, wanted in ZONES:
        yield f"times in {zone}", in_zone(zone, wanted)
    for name, changes, code in WRONG:
        yield f"create with {name}", lambda changes=changes, code=code: refused(make_event(**changes), 400, code)
    yield "a repeated transactionId makes no second event", once
    yield "or conflicts, when the simulator is told so", conflicts
    yield "deleted is gone", deleted
    yield "cancelled is gone", cancelled
    yield "under /calendar too", below_calendar
    yield "an event that never was", lambda: refused(item("AAMkNothing=").get(), 404, "ErrorItemNotFound")
