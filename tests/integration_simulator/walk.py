"""Call everything that is published, once, as a client would that had only the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.simulator import Client, Simulator

SCIM_USER = {"userName": "new.user@northfold.example", "displayName": "New User", "emails": [], "active": True}
SINCE = "2026-11-12T00:00:00Z"
METRICS: dict[str, dict[str, Any]] = {
    "reporting/metrics/inbound-message-volume": {"from": SINCE, "mediumIds": ["fb", "twit"]},
    "reporting/metrics/outbound-message-volume": {"from": SINCE, "to": "2026-11-20T00:00:00Z"},
    "reporting/metrics/first-response-time": {"from": SINCE, "groupBy": "TEAM"},
    "reporting/metrics/conversation-response-time": {"from": SINCE, "groupBy": "TEAM"},
    "reporting/metrics/resolved-with-one-reply": {"from": SINCE},
    "reporting/metrics/handle-time": {"from": SINCE, "handleTimeTypes": ["HANDLE_TIME"]},
    "user-presence/metrics/agent-availability": {"userPresenceStatus": "AWAY"},
    "queue/metrics/contacts-waiting": {"status": "NEW", "groupBy": "CHANNEL"},
    "queue/metrics/longest-wait-time": {"status": "PENDING", "mediumId": "fb"},
}


class Exchange(NamedTuple):
    """One call by its published name, and its answer."""

    method: str
    path: str
    answer: requests.Response


class _Walker:
    def __init__(self, client: Client) -> None:
        self._client = client

    def call(self, method: str, path: str, *, ids: tuple[str, ...] = (), **given: Any) -> Exchange:  # noqa: ANN401
        parts = iter(ids)
        real = "/".join(next(parts) if part.startswith("{") else part for part in path.split("/"))
        return Exchange(method, path, self._client.ask(method, real, **given))


def walk(simulator: Simulator) -> Iterator[Exchange]:
    """Make every published call that does what it says."""
    client = simulator.member()
    walker = _Walker(client)
    yield from _oauth(simulator)
    yield from _messages(walker, client)
    yield from _people(walker, simulator.told["organization_id"], simulator.told["member_id"])
    yield from _scim(walker)
    yield from _inbox(walker, simulator)


def _oauth(simulator: Simulator) -> Iterator[Exchange]:
    asked = {
        "response_type": "code",
        "client_id": simulator.told["client_id"],
        "redirect_uri": "http://127.0.0.1:1/back",
        "state": "12345678",
    }
    page = simulator.control.ask("GET", "/oauth2/auth", params=asked)
    yield Exchange("GET", "/oauth2/auth", page)
    token = simulator.token(grant_type="organization_app", organization_id=simulator.told["organization_id"])
    yield Exchange("POST", "/oauth2/token", token)


def _messages(walker: _Walker, client: Client) -> Iterator[Exchange]:
    window = {"startTime": "2026-11-01T00:00:00Z", "endTime": "2026-11-29T00:00:00Z", "limit": "2"}
    yield walker.call("GET", "/v1/messages", params=window)
    kinds = {profile["type"]: profile["id"] for profile in client.got("/v1/socialProfiles")["data"]}
    made: list[str] = []
    for _ in range(2):
        body = {"text": "For approval", "socialProfileIds": [kinds["LINKEDINCOMPANY"]], "tags": ["simulated"]}
        exchange = walker.call("POST", "/v1/messages", json={**body, "scheduledSendTime": "2026-12-01T09:00:00Z"})
        made.append(exchange.answer.json()["data"][0]["id"])
        yield exchange
    review = {"sequenceNumber": 1, "reason": "no", "reviewerType": "MEMBER"}
    for verb, message in zip(("approve", "reject"), made, strict=True):
        yield walker.call("POST", f"/v1/messages/{{messageId}}/{verb}", ids=(message,), json=review)
    yield walker.call("GET", "/v1/messages/{messageId}/history", ids=(made[1],))
    yield walker.call("GET", "/v1/messages/{messageId}", ids=(made[0],))
    yield walker.call("DELETE", "/v1/messages/{messageId}", ids=(made[0],))
    for verb, comment in (("approve", "5138476039"), ("reject", "5138476041")):
        yield walker.call("POST", f"/v1/comments/{{commentId}}/{verb}", ids=(comment,), json=review)
    yield walker.call("GET", "/v1/comments/{commentId}", ids=("5138476039",))
    exchange = walker.call("POST", "/v1/media", json={"sizeBytes": 4, "mimeType": "image/png"})
    yield exchange
    yield walker.call("GET", "/v1/media/{mediaId}", ids=(exchange.answer.json()["data"]["id"],))


def _people(walker: _Walker, organization: str, member: str) -> Iterator[Exchange]:
    profile, team = "115185509", "359493"
    yield walker.call("GET", "/v1/socialProfiles")
    yield walker.call("GET", "/v1/socialProfiles/{socialProfileId}", ids=(profile,))
    yield walker.call("GET", "/v1/socialProfiles/{socialProfileId}/teams", ids=(profile,))
    for path in ("me", "me/organizations", "me/socialProfiles"):
        yield walker.call("GET", f"/v1/{path}")
    yield walker.call("GET", "/v1/me/adAccounts", params={"organization_id": organization})
    made = {"organizationIds": [int(organization)], "email": "a.b@northfold.example", "fullName": "Ada Bee"}
    exchange = walker.call("POST", "/v1/members", json=made)
    yield exchange
    new = exchange.answer.json()["data"]["id"]
    yield walker.call("GET", "/v1/members/{memberId}", ids=(new,))
    yield walker.call("GET", "/v1/members/{memberId}/organizations", ids=(new,))
    base = "/v1/organizations/{organizationId}"
    yield walker.call("GET", f"{base}/teams", ids=(organization,))
    yield walker.call("POST", f"{base}/teams", ids=(organization,), json={"teamName": "Night shift"})
    in_team = f"{base}/teams/{{teamId}}"
    yield walker.call("POST", f"{in_team}/members/{{memberId}}", ids=(organization, team, new))
    yield walker.call("GET", f"{in_team}/members", ids=(organization, team))
    yield walker.call("GET", f"{in_team}/members/{{memberId}}/permissions", ids=(organization, team, member))
    yield walker.call("GET", f"{in_team}/socialProfiles", ids=(organization, team))
    yield walker.call("GET", f"{base}/members", ids=(organization,))
    of_member = f"{base}/members/{{memberId}}"
    for path in ("permissions", "teams", "socialProfiles"):
        yield walker.call("GET", f"{of_member}/{path}", ids=(organization, member))
    permissions = f"{of_member}/socialProfiles/{{socialProfileId}}/permissions"
    yield walker.call("GET", permissions, ids=(organization, member, profile))
    yield walker.call("DELETE", of_member, ids=(organization, new))
    yield walker.call("GET", "/v1/teams/{teamId}", ids=(team,))


def _scim(walker: _Walker) -> Iterator[Exchange]:
    exchange = walker.call("POST", "/scim/v2/Users", json=SCIM_USER)
    yield exchange
    user = exchange.answer.json()["id"]
    yield walker.call("GET", "/scim/v2/Users", params={"filter": f'userName eq "{SCIM_USER["userName"]}"'})
    yield walker.call("GET", "/scim/v2/Users/{memberId}", ids=(user,))
    yield walker.call("PUT", "/scim/v2/Users/{memberId}", ids=(user,), json={**SCIM_USER, "displayName": "Renamed"})
    change = {"Operations": [{"op": "replace", "value": {"active": False}}]}
    yield walker.call("PATCH", "/scim/v2/Users/{memberId}", ids=(user,), json=change)
    exchange = walker.call("POST", "/scim/v2/Groups", json={"displayName": "By SCIM", "members": [{"value": user}]})
    yield exchange
    group = exchange.answer.json()["id"]
    yield walker.call("GET", "/scim/v2/Groups", params={"count": "2", "startIndex": "1"})
    yield walker.call("GET", "/scim/v2/Groups/{groupId}", ids=(group,))
    yield walker.call("PUT", "/scim/v2/Groups/{groupId}", ids=(group,), json={"displayName": "By SCIM", "members": []})
    joins = {"Operations": [{"op": "add", "value": {"members": [{"value": user}]}}]}
    yield walker.call("PATCH", "/scim/v2/Groups/{groupId}", ids=(group,), json=joins)
    yield walker.call("GET", "/scim/v2/ResourceTypes")


def _inbox(walker: _Walker, simulator: Simulator) -> Iterator[Exchange]:
    for path, body in METRICS.items():
        yield walker.call("POST", f"/inbox/v1/{path}", json=body)
    yield walker.call("GET", "/inbox/v1/user-presence/online-agents")
    yield walker.call("GET", "/inbox/v1/queue/lock")
    message = simulator.control.got("/simulator/inbox/messages", visibility="private", limit=1)["messages"][0]
    conversation, agent = message["conversation_id"], "/inbox/v1/virtual-agent/conversations/{conversationId}"
    picture = {"data": b"png!", "headers": {"Content-Type": "image/png"}}
    yield walker.call("POST", f"{agent}/attachments/{{filename}}", ids=(conversation, "cat.png"), **picture)
    does = {"sendMessage": {"text": "Hello", "attachment": "cat.png"}, "complete": "RESOLVED"}
    yield walker.call("POST", agent, ids=(conversation,), json=does)
    sends = {"medium": "WHATSAPP", "channel": "Northfold WhatsApp", "contact": "+447700900001", "text": "Hello"}
    exchange = walker.call("POST", "/inbox/v1/proactive-messaging", json=sends)
    yield exchange
    correlation = exchange.answer.json()["correlationId"]
    yield walker.call("GET", "/inbox/v1/proactive-messaging/{correlationId}", ids=(correlation,))
    yield walker.call("GET", "/inbox/v1/proactive-messaging/{correlationId}/{status}", ids=(correlation, "DELIVERED"))
    told = {"autoConfirm": True, "contactAttributes": [{"attribute": "town", "value": "Northfold"}]}
    contact = message["contact_profile_id"]
    yield walker.call("PUT", "/inbox/v2/contact/{contactProfileId}/contact-attributes", ids=(contact,), json=told)
