"""``/oauth2``: the page on which a person agrees, and the tokens; client credentials by HTTP Basic and no other way."""

from __future__ import annotations

import base64
import hmac
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from retention.simulate.answers import Reply
from retention.simulate.call import Route
from retention.simulate.tokens import oauth_error

if TYPE_CHECKING:
    from retention.simulate.call import Call

_SCOPES = {"", "offline", "analytics:read"}
_SHORTEST_STATE = 8
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Hootsuite simulator</title></head>
<body><h1>Simulated sign-in</h1>
<p>The application asks for access to the invented account. Nobody signs in here: agree, and it gets a code.</p>
<form method="post">{fields}<button>Agree</button></form></body></html>
"""


def asked_for_consent(call: Call) -> Reply:
    """Show the page on which a person agrees."""
    asked = _authorization(call, call.query)
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
    )
    return Reply(mime="text/html; charset=utf-8", content=_PAGE.format(fields=fields).encode())


def consented(call: Call) -> Reply:
    """Send the browser back with a code, as after a click on that page."""
    asked = _authorization(call, {**call.query, **_form(call)})
    code = call.world.tokens.new_code(asked["redirect_uri"], asked["scope"])
    back = asked["redirect_uri"]
    joint = "&" if urlsplit(back).query else "?"
    location = f"{back}{joint}{urlencode({'code': code, 'scope': asked['scope'], 'state': asked['state']})}"
    return Reply(status=HTTPStatus.FOUND, mime="text/html; charset=utf-8", content=b"", headers={"Location": location})


def token(call: Call) -> Reply:
    """Give a token to a client that shows its credentials."""
    form = _form(call)
    if any(len(values) > 1 for values in form.values()):
        raise oauth_error("invalid_request", "A parameter is given more than once.")
    if "client_secret" in form or "client_id" in form:
        raise _unknown_client("Client credentials in the body of the request are not supported.")
    if not _is_client(call, call.headers.get("Authorization", "")):
        raise _unknown_client("The client could not be authenticated by HTTP Basic.")
    return call.world.tokens.answer({name: values[0] for name, values in form.items()})


def _form(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.content.decode("utf-8", "replace"), keep_blank_values=True)


def _authorization(call: Call, given: object) -> dict[str, str]:
    values = given if isinstance(given, dict) else {}
    asked = {
        name: (values.get(name) or [""])[0] for name in ("response_type", "client_id", "scope", "redirect_uri", "state")
    }
    parts = urlsplit(asked["redirect_uri"])
    if asked["client_id"] != call.world.client[0]:
        raise _unknown_client("The client is not known.")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise oauth_error("invalid_request", "redirect_uri is not an address.")
    if asked["response_type"] != "code":
        raise oauth_error("unsupported_response_type", "response_type is code.")
    if len(asked["state"]) < _SHORTEST_STATE:
        raise oauth_error("invalid_state", f"state has at least {_SHORTEST_STATE} characters.")
    if not set(asked["scope"].split(" ")) <= _SCOPES:
        raise oauth_error("invalid_scope", "scope is offline, analytics:read or both.")
    return asked


def _is_client(call: Call, header: str) -> bool:
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(packed.strip(), validate=True).decode()
    except ValueError:
        return False
    name, _, secret = given.partition(":")
    wanted = call.world.client
    return unquote_plus(name) == wanted[0] and hmac.compare_digest(unquote_plus(secret).encode(), wanted[1].encode())


def _unknown_client(description: str) -> Exception:
    headers = {"WWW-Authenticate": 'Basic realm="hootsuite"'}
    return oauth_error("invalid_client", description, HTTPStatus.UNAUTHORIZED, headers)


ROUTES = (
    Route("GET", "/oauth2/auth", asked_for_consent),
    Route("POST", "/oauth2/auth", consented),
    Route("POST", "/oauth2/token", token),
)
