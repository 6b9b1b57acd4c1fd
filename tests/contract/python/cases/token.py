"""azure-identity against the simulated Entra."""

import base64
import json

from azure.core.exceptions import ClientAuthenticationError

from harness import ENV, SCOPE, credential, equal

WRONG = [
    ("a wrong secret", {"secret": "wrong"}, SCOPE, 7000215),
    ("an unknown application", {"client": "9b2f0b5e-0000-4000-8000-000000000000"}, SCOPE, 700016),
    ("a scope without /.default", {}, "User.Read", 1002012),
]


async def granted():
    async with credential() as one:
        token = (await one.get_token(SCOPE)).token
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        equal(claims["tid"], ENV["GRAPH_TENANT"])
        equal(claims["appid"], ENV["GRAPH_CLIENT_ID"])
        assert "Calendars.ReadWrite" in claims["roles"]
        equal((await one.get_token(SCOPE)).token, token)


def denied(changes, scope, number):
    async def run():
        async with credential(**changes) as one:
            try:
                await one.get_token(scope)
            except ClientAuthenticationError as error:
                assert f"AADSTS{number}: " in str(error), error
                return
        raise AssertionError("a token came")

    return run


def cases():
    yield "a token comes, and again from the cache", granted
    for name, changes, scope, number in WRONG:
        yield f"{name} is AADSTS{number}", denied(changes, scope, number)
