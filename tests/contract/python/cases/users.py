from harness import ENV, GRAPH, PLAIN, equal, refused


def one(graph, key):
    async def run():
        user = await graph.users.by_user_id(key).get()
        equal(user.id, ENV["GRAPH_USER"])
        equal(user.user_principal_name, ENV["GRAPH_USER_EMAIL"])

    return run


async def many():
    users = await GRAPH.users.get()
    assert len(users.value) >= 3, users.value


def cases():
    for way, graph in [("https", GRAPH), ("http", PLAIN)]:
        for kind, key in [("object id", "GRAPH_USER"), ("principal name", "GRAPH_USER_EMAIL")]:
            yield f"one user by {kind} over {way}", one(graph, ENV[key])
    yield "the list", many
    yield "an unknown user", lambda: refused(GRAPH.users.by_user_id("nobody").get(), 404, "Request_ResourceNotFound")
    yield "/me without a signed-in user", lambda: refused(GRAPH.me.get(), 400, "BadRequest")
