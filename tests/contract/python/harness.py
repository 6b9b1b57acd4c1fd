"""The official client in both ways of reaching the simulator, and what cases need."""

import json
import logging
import os
import re
import sys
import urllib.request
from urllib.parse import urlsplit

from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.event import Event
from msgraph.generated.models.online_meeting import OnlineMeeting
from msgraph.generated.models.online_meeting_provider_type import OnlineMeetingProviderType
from msgraph.generated.users.item.online_meetings.online_meetings_request_builder import OnlineMeetingsRequestBuilder

ENV = {name: value for name, value in os.environ.items() if name.startswith("GRAPH_")}
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # refusals are expected here
BROKEN = "--broken" in sys.argv
SCOPE = "https://graph.microsoft.com/.default"


def credential(tenant=None, client=None, secret=None):
    return ClientSecretCredential(
        tenant or ENV["GRAPH_TENANT"],
        client or ENV["GRAPH_CLIENT_ID"],
        secret or ENV["GRAPH_CLIENT_SECRET"],
        authority=ENV["GRAPH_AUTHORITY"],
        disable_instance_discovery=True,
        connection_verify=ENV["GRAPH_CA"],
        retry_total=0,
    )


def client(base):
    """The stock chain; `base_url` is set before the client is made."""
    provider = AzureIdentityAuthenticationProvider(CREDENTIAL, scopes=[SCOPE], allowed_hosts=[urlsplit(base).hostname])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = base
    return GraphServiceClient(request_adapter=adapter)


CREDENTIAL = credential()
GRAPH = client(ENV["GRAPH_BASE"])
PLAIN = client(ENV["GRAPH_BASE_HTTP"])


def host(graph=None):
    return (graph or GRAPH).users.by_user_id(ENV["GRAPH_USER"])


def control(method, path, body=None):
    """The simulator's own API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENV['GRAPH_CONTROL']}/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def break_all():
    """Every answer of Graph is an error, of a status that no case expects."""
    if BROKEN:
        control("POST", "faults", {"pathContains": "", "action": {"errorBefore": {"status": 507}}})


def reset():
    """An empty world."""
    control("POST", "reset")
    break_all()


def advance(milliseconds):
    offset = control("GET", "clock")["offsetMs"]
    control("PUT", "clock", {"offsetMs": offset + milliseconds})


async def refused(awaited, status, code):
    """The client's own error, with this status and code."""
    try:
        value = await awaited
    except APIError as error:
        assert error.response_status_code == status, error
        assert error.error.code == code, error
        assert re.fullmatch(r"[0-9a-f-]{36}", error.error.inner_error.request_id), error
        return error
    raise AssertionError(f"expected {status} {code}, got {value}")


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def at(hour, zone="UTC", day=6):
    return DateTimeTimeZone(date_time=f"2031-01-{day:02}T{hour:02}:00:00", time_zone=zone)


def event(**changes):
    made = Event(
        subject="Visit",
        start=at(10),
        end=at(11),
        is_online_meeting=True,
        online_meeting_provider=OnlineMeetingProviderType.TeamsForBusiness,
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def configured(parameters=None, **headers):
    configuration = RequestConfiguration(query_parameters=parameters)
    for name, value in headers.items():
        configuration.headers.add(name.replace("_", "-"), value)
    return configuration


async def make_event(**changes):
    return await host().events.post(event(**changes))


async def make_meeting(**members):
    return await host().online_meetings.post(OnlineMeeting(**members))


async def find_meetings(condition):
    parameters = OnlineMeetingsRequestBuilder.OnlineMeetingsRequestBuilderGetQueryParameters(filter=condition)
    return (await host().online_meetings.get(request_configuration=configured(parameters))).value


async def backed_meeting():
    """The calendar-backed meeting of a new event, found as the documentation says."""
    made = await make_event()
    [found] = await find_meetings(f"JoinWebUrl eq '{made.online_meeting.join_url}'")
    return found


def comes(meeting, kind, name=None):
    return control("POST", "meetings/join", {"joinWebUrl": meeting.join_web_url, "kind": kind, "name": name})

