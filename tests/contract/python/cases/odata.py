from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
from msgraph_core.tasks import PageIterator

from harness import GRAPH, PLAIN, configured, equal, host, make_event, refused, reset

SIZES = [(1, 5), (2, 5), (5, 5), (10, 5)]


def asked(**parameters):
    return configured(EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(**parameters))


async def calendar(count):
    reset()
    for number in range(count):
        await make_event(subject=f"Visit {number}")


def iterated(graph, top, count):
    async def run():
        await calendar(count)
        page = await host(graph).events.get(request_configuration=asked(top=top))
        seen = []

        def see(one):
            seen.append(one.subject)
            return True

        await PageIterator(page, graph.request_adapter).iterate(see)
        equal(seen, [f"Visit {number}" for number in range(count)])

    return run


async def counted():
    await calendar(4)
    page = await host().events.get(request_configuration=asked(top=1, count=True))
    equal(page.odata_count, 4)


async def skipped():
    await calendar(5)
    page = await host().events.get(request_configuration=asked(skip=2, top=2))
    equal([one.subject for one in page.value], ["Visit 2", "Visit 3"])


async def selected():
    await calendar(1)
    page = await host().events.get(request_configuration=asked(select=["subject"]))
    equal((page.value[0].subject, page.value[0].start), ("Visit 0", None))
    assert page.value[0].id


async def ordered():
    await calendar(3)
    page = await host().events.get(request_configuration=asked(orderby=["createdDateTime desc"]))
    equal([one.subject for one in page.value], ["Visit 2", "Visit 1", "Visit 0"])


def cases():
    for way, graph in [("https", GRAPH), ("http", PLAIN)]:
        for top, count in SIZES:
            yield f"the page iterator reads {count} by {top} over {way}", iterated(graph, top, count)
    yield "count", counted
    yield "skip and top", skipped
    yield "select", selected
    yield "orderby", ordered
    yield "a top that is too large", lambda: refused(host().events.get(request_configuration=asked(top=100000)), 400, "BadRequest")
