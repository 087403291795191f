"""``/scim/v2``: members as users and teams as groups, by SCIM 2.0 (RFC 7644) as far as it is published."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from retention.simulate.answers import AnsweredError, Fields, RefusedError, Reply
from retention.simulate.api_people import checked_mail, checked_name, checked_team_name
from retention.simulate.call import Route
from retention.simulate.clock import zulu
from retention.simulate.directory import ORGANIZATION
from retention.simulate.read import decimal, flag, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retention.simulate.call import Call
    from retention.simulate.directory import Member, Team

_USER, _GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_LIST, _ERROR = "urn:ietf:params:scim:api:messages:2.0:ListResponse", "urn:ietf:params:scim:api:messages:2.0:Error"
_EQUALS = re.compile(r'\s*(\w+)\s+eq\s+"([^"]*)"\s*', re.IGNORECASE)
_OPERATIONS = ("add", "replace", "remove")
_T = TypeVar("_T")


def users_listed(call: Call) -> Reply:
    """List users, or the one with a name."""
    members = call.world.directory.members_of(ORGANIZATION)
    return _listing(call, members, "username", lambda member: member.email, lambda member: _user(call, member))


def user_shown(call: Call, member: str) -> Reply:
    """Give one user."""
    return Reply(_user(call, _member(call, member)))


def user_made(call: Call) -> Reply:
    """Make a user."""
    asked = call.fields()
    with_mail = {"userName": text(asked, "userName")}
    name = checked_name(asked, "displayName")
    mail = checked_mail(call, with_mail, "userName")
    member = call.world.directory.add_member(name, mail, [ORGANIZATION], call.now)
    _write_user(member, asked)
    return Reply(_user(call, member))


def user_replaced(call: Call, member: str) -> Reply:
    """Replace what is known of a user."""
    found, asked = _member(call, member), call.fields()
    found.full_name = checked_name(asked, "displayName")
    _write_user(found, asked)
    found.modified_ms = call.now
    return Reply(_user(call, found))


def user_changed(call: Call, member: str) -> Reply:
    """Change some of what is known of a user."""
    found = _member(call, member)
    for operation in _operations(call):
        path, value = operation.get("path"), operation.get("value")
        changes = {str(path): value} if path else value
        if not isinstance(changes, dict):
            raise scim_error("value names what is to change", "invalidValue")
        if "displayName" in changes:
            found.full_name = checked_name(changes, "displayName")
        _write_user(found, changes)
    found.modified_ms = call.now
    return Reply(_user(call, found))


def groups_listed(call: Call) -> Reply:
    """List groups, or the one with a name."""
    teams = call.world.directory.teams_of(ORGANIZATION)
    return _listing(call, teams, "displayname", lambda team: team.name, lambda team: _group(call, team))


def group_shown(call: Call, group: str) -> Reply:
    """Give one group."""
    return Reply(_group(call, _team(call, group)))


def group_made(call: Call) -> Reply:
    """Make a group."""
    asked = call.fields()
    name = checked_team_name(call, ORGANIZATION, asked, "displayName")
    team = call.world.directory.add_team(ORGANIZATION, name, call.member.member_id, call.now)
    team.members = _members_in(call, asked.get("members"))
    return Reply(_group(call, team))


def group_replaced(call: Call, group: str) -> Reply:
    """Replace the name and the members of a group."""
    team, asked = _team(call, group), call.fields()
    if text(asked, "displayName") != team.name:
        team.name = checked_team_name(call, ORGANIZATION, asked, "displayName")
    team.members = _members_in(call, asked.get("members"))
    return Reply(_group(call, team))


def group_changed(call: Call, group: str) -> Reply:
    """Add, remove or replace members of a group, or its name."""
    team = _team(call, group)
    for operation in _operations(call):
        value = operation.get("value")
        told = value if isinstance(value, dict) else {"members": value}
        if "displayName" in told and told["displayName"] != team.name:
            team.name = checked_team_name(call, ORGANIZATION, told, "displayName")
        if "members" in told:
            named = _members_in(call, told["members"])
            others = [one for one in team.members if one not in named]
            how = str(operation["op"]).lower()
            team.members = named if how == "replace" else others + (named if how == "add" else [])
    return Reply(_group(call, team))


def resource_types(call: Call) -> Reply:
    """Tell which kinds of resources there are."""
    kinds = (("User", "User Account", _USER), ("Group", "Group", _GROUP))
    return Reply(
        {
            "schemas": [_LIST],
            "Resources": [
                {
                    "name": name,
                    "schemaExtensions": [],
                    "description": description,
                    "id": name,
                    "meta": {"resourceType": "ResourceType", "location": f"{call.base}/scim/v2/ResourceTypes/{name}"},
                    "schema": schema,
                    "endpoint": f"/scim/v2/{name}s",
                    "schemas": [_TYPE],
                }
                for name, description, schema in kinds
            ],
        }
    )


def scim_error(detail: str, kind: str | None = None, status: int = HTTPStatus.BAD_REQUEST) -> AnsweredError:
    """Refuse as SCIM does."""
    body: Fields = {"schemas": [_ERROR], "status": str(int(status)), "detail": detail}
    if kind:
        body["scimType"] = kind
    return AnsweredError(Reply(body, status))


def as_scim(refused: RefusedError) -> Reply:
    """Word a refusal of the REST API as SCIM does."""
    kind = None if refused.status != HTTPStatus.BAD_REQUEST else "invalidValue"
    return scim_error(refused.said, kind, refused.status).reply


def _listing(
    call: Call, things: Sequence[_T], name: str, value: Callable[[_T], str], spell: Callable[[_T], Fields]
) -> Reply:
    if asked := call.one("filter"):
        match = _EQUALS.fullmatch(asked)
        if match is None or match[1].lower() != name:
            raise scim_error(f"only equality of {name} can be filtered by", "invalidValue")
        things = [thing for thing in things if value(thing) == match[2]]
    first = max(1, decimal(call.one("startIndex") or "1", "startIndex"))
    count = decimal(call.one("count") or "100", "count")
    shown = [spell(thing) for thing in things[first - 1 : first - 1 + count]]
    return Reply(
        {
            "schemas": [_LIST],
            "totalResults": len(things),
            "startIndex": first,
            "itemsPerPage": len(shown),
            "Resources": shown,
        }
    )


def _member(call: Call, member: str) -> Member:
    found = call.world.directory.members.get(member)
    if found is None or ORGANIZATION not in found.organizations:
        raise scim_error("there is no such user", status=HTTPStatus.NOT_FOUND)
    return found


def _team(call: Call, group: str) -> Team:
    found = call.world.directory.teams.get(group)
    if found is None or found.organization != ORGANIZATION:
        raise scim_error("there is no such group", status=HTTPStatus.NOT_FOUND)
    return found


def _members_in(call: Call, references: object) -> list[str]:
    if references is None:
        return []
    if not isinstance(references, list) or not all(isinstance(one, dict) and one.get("value") for one in references):
        raise scim_error("members is a list of references", "invalidValue")
    return [_member(call, str(one["value"])).member_id for one in references]


def _operations(call: Call) -> list[Fields]:
    found = call.fields().get("Operations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise scim_error("Operations is a list", "invalidSyntax")
    if not all(str(one.get("op")).lower() in _OPERATIONS for one in found):
        raise scim_error(f"op is one of {', '.join(_OPERATIONS)}", "invalidSyntax")
    return found


def _write_user(member: Member, asked: Fields) -> None:
    member.active = flag(asked, "active", default=member.active)
    member.title = text(asked, "title", member.title)
    member.timezone = text(asked, "timezone", member.timezone)
    member.language = text(asked, "preferredLanguage", member.language)


def _user(call: Call, member: Member) -> Fields:
    given, _, family = member.full_name.partition(" ")
    teams = call.world.directory.teams_of(ORGANIZATION)
    return {
        "schemas": [_USER],
        "id": member.member_id,
        "meta": {
            "resourceType": "User",
            "created": zulu(member.created_ms),
            "lastModified": zulu(member.modified_ms),
        },
        "userName": member.email,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": True, "value": member.email, "type": "work"}],
        "displayName": member.full_name,
        "timezone": member.timezone,
        "preferredLanguage": member.language,
        "title": member.title,
        "groups": [
            {"value": t.team_id, "$ref": f"{call.base}/scim/v2/Groups/{t.team_id}", "display": t.name}
            for t in teams
            if member.member_id in t.members
        ],
        "active": member.active,
    }


def _group(call: Call, team: Team) -> Fields:
    people = call.world.directory.members
    return {
        "schemas": [_GROUP],
        "id": team.team_id,
        "meta": {
            "resourceType": "Group",
            "created": zulu(team.created_ms),
            "lastModified": zulu(team.created_ms),
            "location": f"{call.base}/scim/v2/Groups/{team.team_id}",
        },
        "displayName": team.name,
        "members": [
            {"value": one, "$ref": f"{call.base}/scim/v2/Users/{one}", "display": people[one].full_name}
            for one in team.members
        ],
    }


ROUTES = (
    Route("GET", "/scim/v2/Users", users_listed),
    Route("POST", "/scim/v2/Users", user_made),
    Route("GET", "/scim/v2/Users/<member>", user_shown),
    Route("PUT", "/scim/v2/Users/<member>", user_replaced),
    Route("PATCH", "/scim/v2/Users/<member>", user_changed),
    Route("GET", "/scim/v2/Groups", groups_listed),
    Route("POST", "/scim/v2/Groups", group_made),
    Route("GET", "/scim/v2/Groups/<group>", group_shown),
    Route("PUT", "/scim/v2/Groups/<group>", group_replaced),
    Route("PATCH", "/scim/v2/Groups/<group>", group_changed),
    Route("GET", "/scim/v2/ResourceTypes", resource_types),
)
