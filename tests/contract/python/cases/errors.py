"""What goes wrong on the way, and what the client's own middleware makes of it."""

from harness import ENV, GRAPH, configured, control, equal, host, make_event, refused, reset


def plant(action, path="/users", method=None, times=1):
    control("POST", "faults", {"action": action, "times": times, "pathContains": path, "method": method})


def told(status, code):
    async def run():
        plant({"errorBefore": {"status": status}})
        await refused(GRAPH.users.get(), status, code)

    return run


def retried(action):
    async def run():
        plant(action)
        assert (await GRAPH.users.get()).value
        equal(control("GET", "faults"), [])

    return run


async def by_header():
    configuration = configured()
    configuration.headers.add(ENV["GRAPH_THROTTLE_HEADER"], "1")
    assert (await GRAPH.users.get(request_configuration=configuration)).value


async def throttled_create():
    reset()
    plant({"throttle": {"retryAfter": 1}}, "/events", "POST")
    await make_event()
    equal(len((await host().events.get()).value), 1)


async def lost_answer():
    reset()
    plant("dropAfter", "/events", "POST")
    try:
        await make_event(transaction_id="lost")
    except Exception:
        pass
    else:
        raise AssertionError("an answer came")
    await make_event(transaction_id="lost")
    equal(len((await host().events.get()).value), 1)


def cases():
    yield "500 is told", told(500, "InternalServerError")
    yield "502 is told", told(502, "BadGateway")
    yield "503 is tried again", retried({"errorBefore": {"status": 503}})
    yield "504 is tried again", retried({"errorBefore": {"status": 504}})
    yield "429 is tried again", retried({"throttle": {"retryAfter": 1}})
    yield "throttled by the header until the attempt that is let through", by_header
    yield "a throttled create has made nothing", throttled_create
    yield "a lost answer has made one event; its transactionId finds it", lost_answer
