"""The official communication clients in both ways of reaching the simulator, and requests signed by hand for what no client sends."""

import base64
import hashlib
import hmac
import json
import logging
import os
import ssl
import urllib.error
import urllib.request
from datetime import datetime, timezone
from email.utils import format_datetime
from urllib.parse import urlsplit

import jwt
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

ACS = {name: value for name, value in os.environ.items() if name.startswith("ACS_")}
KEY = ACS["ACS_CONNECTION_STRING"].split("accesskey=")[1]
logging.getLogger("azure.communication").setLevel(logging.ERROR)  # it warns of its own dates
OPTIONS = {"retry_total": 0}  # a refusal is told at once
TRUST = ssl.create_default_context(cafile=os.environ["GRAPH_CA"])


def both(client, more=OPTIONS):
    """Over HTTPS by the connection string, over plain HTTP by address and key: connection strings lose their scheme."""
    secure = client.from_connection_string(ACS["ACS_CONNECTION_STRING"], **more)
    plain = client(ACS["ACS_ENDPOINT_HTTP"], AzureKeyCredential(KEY), **more)
    return secure, plain


IDENTITIES, PLAIN_IDENTITIES = both(CommunicationIdentityClient)
ROOMS, PLAIN_ROOMS = both(RoomsClient)


def moment(text):
    """A time of an answer; these clients leave it a text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def life(token):
    """Seconds from now to its end."""
    return (moment(token.expires_on) - datetime.now(timezone.utc)).total_seconds()


def new_user():
    return IDENTITIES.create_user()


def refused(call, status, code):
    """The client's own error, with this status and code."""
    try:
        value = call()
    except HttpResponseError as error:
        assert error.status_code == status, error
        assert error.error.code == code, error
        return error
    raise AssertionError(f"expected {status} {code}, got {value}")


def signed(method, path, body=b"", date=None, key=KEY, version="api-version=2023-10-01"):
    """A request signed by hand: status and JSON."""
    url = f"{ACS['ACS_ENDPOINT']}{path}?{version}"
    when = format_datetime(date or datetime.now(timezone.utc), usegmt=True)
    content = base64.b64encode(hashlib.sha256(body).digest()).decode()
    parts = urlsplit(url)
    text = f"{method}\n{parts.path}?{parts.query}\n{when};{parts.netloc};{content}"
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
    headers = {
        "x-ms-date": when,
        "x-ms-content-sha256": content,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(url, data=body or None, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10, context=TRUST) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def claims(token):
    """Claims of a token, after its signature was verified with the published key."""
    base = ACS["ACS_ENDPOINT"]
    with urllib.request.urlopen(f"{base}/calling/.well-known/acsopenidconfiguration", timeout=10, context=TRUST) as answer:
        keys = jwt.PyJWKClient(json.loads(answer.read())["jwks_uri"], ssl_context=TRUST)
    return jwt.decode(token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"], options={"verify_aud": False})
