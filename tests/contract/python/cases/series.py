from datetime import date, timedelta

from msgraph.generated.models.attendee_base import AttendeeBase
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.generated.models.time_constraint import TimeConstraint
from msgraph.generated.models.time_slot import TimeSlot
from msgraph.generated.models.week_index import WeekIndex
from msgraph.generated.users.item.calendar.get_schedule.get_schedule_post_request_body import GetSchedulePostRequestBody
from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import CalendarViewRequestBuilder
from msgraph.generated.users.item.find_meeting_times.find_meeting_times_post_request_body import FindMeetingTimesPostRequestBody

from harness import ENV, at, configured, equal, host, make_event, refused, reset

PATTERNS = [
    ("daily", {}, ["01-06", "01-07", "01-08"]),
    ("weekly", {"days_of_week": [DayOfWeek.Monday, DayOfWeek.Thursday]}, ["01-06", "01-09", "01-13"]),
    ("absoluteMonthly", {"day_of_month": 6}, ["01-06", "02-06", "03-06"]),
    ("relativeMonthly", {"days_of_week": [DayOfWeek.Monday], "index": WeekIndex.First}, ["01-06", "02-03", "03-03"]),
]


def recurrence(kind="daily", **more):
    pattern = RecurrencePattern(type=RecurrencePatternType(kind), interval=1, **more)
    numbered = RecurrenceRange(type=RecurrenceRangeType.Numbered, start_date=date(2031, 1, 6), number_of_occurrences=3)
    return PatternedRecurrence(pattern=pattern, range=numbered)


async def view(**headers):
    parameters = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
        start_date_time="2031-01-01T00:00:00Z", end_date_time="2032-01-01T00:00:00Z"
    )
    return (await host().calendar_view.get(request_configuration=configured(parameters, **headers))).value


def expanded(kind, more, days):
    async def run():
        reset()
        made = await make_event(recurrence=recurrence(kind, **more))
        equal(made.type, EventType.SeriesMaster)
        equal(made.recurrence.pattern.type, RecurrencePatternType(kind))
        found = await view()
        equal([one.start.date_time[5:10] for one in found], days)
        equal({one.series_master_id for one in found}, {made.id})

    return run


async def exception():
    reset()
    await make_event(recurrence=recurrence())
    _, second, third = await view()
    changed = await host().events.by_event_id(second.id).patch(Event(subject="Other"))
    equal(changed.type, EventType.Exception)
    await host().events.by_event_id(third.id).delete()
    equal([one.subject for one in await view()], ["Visit", "Other"])


async def windows_names():
    reset()
    zone = "W. Europe Standard Time"
    await make_event(start=at(9, zone), end=at(10, zone))
    [one] = await view(Prefer=f'outlook.timezone="{zone}"')
    equal((one.start.date_time, one.start.time_zone), ("2031-01-06T09:00:00.0000000", zone))
    [one] = await view()
    equal(one.start.date_time, "2031-01-06T08:00:00.0000000")


async def schedule():
    reset()
    await make_event()
    body = GetSchedulePostRequestBody(
        schedules=[ENV["GRAPH_USER_EMAIL"], "nobody@sim.example"], start_time=at(9), end_time=at(12), availability_view_interval=60
    )
    mine, other = (await host().calendar.get_schedule.post(body)).value
    equal(mine.availability_view, "020")
    equal(mine.schedule_items[0].subject, "Visit")
    equal(other.error.response_code, "ErrorMailRecipientNotFound")


async def meeting_times():
    reset()
    await make_event()
    slot = TimeSlot(start=at(9), end=at(12))
    body = FindMeetingTimesPostRequestBody(
        attendees=[AttendeeBase(email_address=EmailAddress(address="x@example.com"))],
        time_constraint=TimeConstraint(time_slots=[slot]),
        meeting_duration=timedelta(hours=1),
        minimum_attendee_percentage=40.0,
    )
    found = await host().find_meeting_times.post(body)
    starts = [one.meeting_time_slot.start.date_time[11:13] for one in found.meeting_time_suggestions]
    equal((starts, found.meeting_time_suggestions[0].confidence), (["09", "11"], 49.0))


def cases():
    for kind, more, days in PATTERNS:
        yield kind, expanded(kind, more, days)
    yield "one time differs, one is left out", exception
    yield "Windows zone names", windows_names
    yield "getSchedule", schedule
    yield "findMeetingTimes; the client writes durations in its own way", meeting_times
    yield "a view without a window", lambda: refused(host().calendar_view.get(), 400, "ErrorInvalidParameter")
