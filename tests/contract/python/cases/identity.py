"""azure-communication-identity against the simulator."""

import base64
import json
import time
from datetime import datetime, timedelta, timezone

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope, CommunicationUserIdentifier
from azure.core.credentials import AzureKeyCredential
from azure.identity import ClientSecretCredential

from acs import ACS, IDENTITIES, OPTIONS, PLAIN_IDENTITIES, claims, life, new_user, refused, signed
from harness import ENV, advance, equal, reset


def stranger():
    return CommunicationUserIdentifier(f"8:acs:{ACS['ACS_RESOURCE_ID']}_00000000-0000-4000-8000-000000000000")


async def made():
    for client in (IDENTITIES, PLAIN_IDENTITIES):
        assert client.create_user().raw_id.startswith(f"8:acs:{ACS['ACS_RESOURCE_ID']}_")


async def with_token():
    user, token = IDENTITIES.create_user_and_token([CommunicationTokenScope.VOIP, CommunicationTokenScope.CHAT])
    said = claims(token.token)
    equal("8:" + said["skypeid"], user.raw_id)
    equal(said["acsScope"], "voip,chat")
    assert abs(life(token) - 86_400) < 60, token.expires_on


def scoped(scope):
    async def run():
        equal(claims(IDENTITIES.get_token(new_user(), [scope]).token)["acsScope"], scope)

    return run


def lasting(minutes):
    async def run():
        token = IDENTITIES.get_token(new_user(), ["voip"], token_expires_in=timedelta(minutes=minutes))
        assert abs(life(token) - minutes * 60) < 60, token.expires_on

    return run


def too(minutes):
    # This client checks nothing by itself.
    async def run():
        user = new_user()
        refused(lambda: IDENTITIES.get_token(user, ["voip"], token_expires_in=timedelta(minutes=minutes)), 400, "BadRequest")

    return run


async def wrong_scope():
    user = new_user()
    refused(lambda: IDENTITIES.get_token(user, ["voice"]), 400, "BadRequest")


async def revoked():
    user = new_user()
    IDENTITIES.get_token(user, ["voip"])
    IDENTITIES.revoke_tokens(user)
    PLAIN_IDENTITIES.revoke_tokens(user)


async def deleted():
    user = new_user()
    PLAIN_IDENTITIES.delete_user(user)
    refused(lambda: IDENTITIES.get_token(user, ["voip"]), 404, "IdentityNotFound")


def unknown(act):
    async def run():
        refused(lambda: act(stranger()), 404, "IdentityNotFound")

    return run


async def another_resource():
    refused(lambda: IDENTITIES.delete_user(CommunicationUserIdentifier("8:acs:00000000-0000-4000-8000-000000000000_x")), 403, "Forbidden")


async def another_key():
    client = CommunicationIdentityClient(ACS["ACS_ENDPOINT"], AzureKeyCredential(base64.b64encode(b"no").decode()), **OPTIONS)
    refused(client.create_user, 401, "Denied")


async def entra():
    credential = ClientSecretCredential(
        ENV["GRAPH_TENANT"],
        ENV["GRAPH_CLIENT_ID"],
        ENV["GRAPH_CLIENT_SECRET"],
        authority=ENV["GRAPH_AUTHORITY"],
        disable_instance_discovery=True,
        connection_verify=ENV["GRAPH_CA"],
    )
    assert CommunicationIdentityClient(ACS["ACS_ENDPOINT"], credential, **OPTIONS).create_user().raw_id


def skewed(minutes, status):
    async def run():
        date = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        equal(signed("POST", "/identities", date=date)[0], status)

    return run


async def moved_clock():
    day = 86_400_000
    advance(3 * day)
    token = IDENTITIES.create_user_and_token(["voip"])[1]
    assert abs(life(token) - 4 * 86_400) < 60
    reset()


def teams_token(**claims):
    parts = [{}, {"appid": "app", "oid": "user", "exp": int(time.time()) + 3_600, **claims}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"


async def exchanged():
    token = IDENTITIES.get_token_for_teams_user(teams_token(), "app", "user")
    equal(claims(token.token)["skypeid"], "orgid:user")
    assert abs(life(token) - 3_600) < 60


def not_exchanged(status, code, **changes):
    async def run():
        refused(lambda: IDENTITIES.get_token_for_teams_user(teams_token(**changes), "app", "user"), status, code)

    return run


def cases():
    yield "a user is made over HTTPS and over plain HTTP", made
    yield "a user with a token whose claims say who and for what", with_token
    for scope in CommunicationTokenScope:
        yield f"a token for {scope.value}", scoped(scope.value)
    for minutes in (60, 1_440):
        yield f"a token for {minutes} minutes", lasting(minutes)
    for minutes in (59, 1_441):
        yield f"{minutes} minutes are 400", too(minutes)
    yield "an unknown scope is 400", wrong_scope
    yield "tokens are revoked as often as one likes", revoked
    yield "a deleted user is gone", deleted
    yield "issue for an unknown user is 404", unknown(lambda user: IDENTITIES.get_token(user, ["voip"]))
    yield "revoke for an unknown user is 404", unknown(IDENTITIES.revoke_tokens)
    yield "delete of an unknown user is 404", unknown(IDENTITIES.delete_user)
    yield "a user of another resource is 403", another_resource
    yield "a client with another key is refused", another_key
    yield "an Entra application may ask", entra
    for minutes, status in ((-16, 401), (-14, 201), (14, 201), (16, 401)):
        yield f"a clock {minutes} minutes off is answered {status}", skewed(minutes, status)
    yield "tokens are dated by the simulator's clock, signatures are not", moved_clock
    yield "a Teams user's token is exchanged", exchanged
    yield "an exchange for another application is 400", not_exchanged(400, "BadRequest", appid="other")
    yield "an exchange for another user is 400", not_exchanged(400, "BadRequest", oid="other")
    yield "an exchange of an expired token is 401", not_exchanged(401, "Unauthorized", exp=1)
