from urllib.parse import urlsplit

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

from harness import ENV, GRAPH, control, equal


def item(path):
    information = RequestInformation()
    information.http_method = Method.GET
    information.url = ENV["GRAPH_BASE"] + path
    return BatchRequestItem(information)


async def send(*items):
    content = BatchRequestContent({one.id: one for one in items})
    return await BatchRequestBuilder(GRAPH.request_adapter).post(content)


async def by_id():
    users, nobody = item("/users"), item("/users/nobody")
    assert urlsplit(users.url).path.endswith("/users")
    answers = await send(users, nobody)
    equal(answers.get_response_by_id(users.id).status, 200)
    equal(answers.get_response_by_id(nobody.id).status, 404)


async def throttled():
    control("POST", "faults", {"pathContains": "/users", "times": 1, "action": {"throttle": {"retryAfter": 7}}})
    users = item("/users")
    answer = (await send(users)).get_response_by_id(users.id)
    equal(answer.status, 429)
    equal(answer.headers["Retry-After"], "7")


def cases():
    yield "answers come by id", by_id
    yield "a throttled item is not tried again by the client", throttled
