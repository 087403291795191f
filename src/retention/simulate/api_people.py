"""``/v1/me``, members, organizations, teams and social profiles."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from retention.simulate.answers import Code, RefusedError, Reply, enveloped, forbidden, invalid, missing
from retention.simulate.call import Route
from retention.simulate.directory import LANGUAGES
from retention.simulate.read import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retention.simulate.call import Call
    from retention.simulate.directory import Member

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NAME, _TEAM_NAME = range(2, 101), range(2, 201)
_OPTIONAL = {"companyName": "company", "bio": "bio", "timezone": "timezone"}


def me(call: Call) -> Reply:
    """Give the member for whom the call is made."""
    return enveloped(call.member.published())


def my_organizations(call: Call) -> Reply:
    """List the organizations of that member."""
    names = call.world.directory.names
    return enveloped([
        {"id": one, "name": names[one], "logoUrl": f"https://assets.hootsuite.example/organizations/{one}.gif"}
        for one in names
        if call.sees(one)
    ])  # fmt: skip


def my_profiles(call: Call) -> Reply:
    """List the ids of the social profiles that the member may use."""
    return enveloped(_ids(p.profile_id for p in call.world.directory.profiles.values() if call.sees(p.owner_id)))


def my_ad_accounts(call: Call) -> Reply:
    """List the ad accounts of an organization."""
    organization = call.organization(call.one("organization_id") or _required("organization_id"))
    pages = [p for p in call.world.directory.profiles.values() if p.owner_id == organization]
    kinds = {"FACEBOOKPAGE": ("FACEBOOK", "FB_STATUS_ACTIVE"), "TWITTER": ("TWITTER", "TW_STATUS_ACCEPTED")}
    found = [
        {
            "ad_account_id": str(number),
            "social_network": kinds[page.kind][0],
            "external_id": page.network_id,
            "name": page.name,
            "status": 1,
            "currency_code": "GBP",
            "timezone": "Europe/London",
            "business_id": "",
            "can_access_api": True,
            "social_profile_id": page.profile_id,
            "social_profile_token_status": 1,
            "has_payment_method": True,
            "extended_info": {},
            "native_status": kinds[page.kind][1],
        }
        for number, page in enumerate(pages, 70_001)
        if page.kind in kinds
    ]
    return Reply({"ad_accounts": found})


def member_shown(call: Call, member: str) -> Reply:
    """Give a member who shares an organization with the caller."""
    return enveloped(_member(call, member).published())


def member_made(call: Call) -> Reply:
    """Add a member to organizations."""
    asked = call.fields()
    wanted = asked.get("organizationIds")
    if not isinstance(wanted, list) or not wanted:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_ORGANIZATION)
    organizations = [call.organization(str(one)) for one in wanted]
    if not all(call.manages(one) for one in organizations):
        raise forbidden(Code.MAY_NOT_IN_ORGANIZATION)
    name, mail = checked_name(asked, "fullName"), checked_mail(call, asked, "email")
    if asked.get("language", "en") not in LANGUAGES:
        msg = f"language is one of {', '.join(LANGUAGES)}"
        raise invalid(msg)
    member = call.world.directory.add_member(name, mail, organizations, call.now)
    for field, attribute in _OPTIONAL.items():
        setattr(member, attribute, text(asked, field, getattr(member, attribute)))
    member.language = asked.get("language", "en")
    return enveloped(member.published())


def member_organizations(call: Call, member: str) -> Reply:
    """List the organizations of a member."""
    return enveloped(_ids(_member(call, member).organizations))


def organization_members(call: Call, organization: str) -> Reply:
    """List the members of an organization."""
    call.organization(organization)
    return enveloped(_ids(member.member_id for member in call.world.directory.members_of(organization)))


def member_removed(call: Call, organization: str, member: str) -> Reply:
    """Remove a member from an organization."""
    found = call.member_of(organization, member)
    if not call.manages(organization):
        raise forbidden(Code.MAY_NOT_IN_ORGANIZATION)
    if member == call.world.directory.owner:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.PAYING_MEMBER)
    found.organizations.remove(organization)
    for team in call.world.directory.teams_of(organization):
        team.members = [one for one in team.members if one != member]
    return enveloped({})


def organization_permissions(call: Call, organization: str, member: str) -> Reply:
    """Tell what a member may do in an organization."""
    call.member_of(organization, member)
    return _permissions(call, member, "ORG_MANAGE_MEMBER", "ORG_MANAGE_TEAM", "ORG_MANAGE_SOCIAL_PROFILE")


def member_teams(call: Call, organization: str, member: str) -> Reply:
    """List the teams of a member."""
    call.member_of(organization, member)
    teams = call.world.directory.teams_of(organization)
    return enveloped(_ids(team.team_id for team in teams if member in team.members))


def member_profiles(call: Call, organization: str, member: str) -> Reply:
    """List the organization's social profiles that a member may use."""
    call.member_of(organization, member)
    profiles = call.world.directory.profiles.values()
    return enveloped(_ids(profile.profile_id for profile in profiles if profile.owner_id == organization))


def profile_permissions(call: Call, organization: str, member: str, profile: str) -> Reply:
    """Tell what a member may do with a social profile."""
    call.member_of(organization, member)
    call.profile(profile)
    return _permissions(call, member, "BASIC_USAGE", "POST_PUBLISH", "INBOX_RESPOND")


def teams_listed(call: Call, organization: str) -> Reply:
    """List the teams of an organization."""
    call.organization(organization, Code.MAY_NOT_SEE_TEAMS)
    return enveloped([team.published() for team in call.world.directory.teams_of(organization)])


def team_made(call: Call, organization: str) -> Reply:
    """Make a team."""
    call.organization(organization)
    if not call.manages(organization):
        raise forbidden(Code.MAY_NOT_CREATE_TEAM)
    name = checked_team_name(call, organization, call.fields(), "teamName")
    team = call.world.directory.add_team(organization, name, call.member.member_id, call.now)
    return enveloped(team.published())


def team_shown(call: Call, team: str) -> Reply:
    """Give one team."""
    found = call.world.directory.teams.get(team)
    if found is None:
        raise missing("team", team)
    call.organization(found.organization, Code.MAY_NOT_SEE_TEAM)
    return enveloped(found.published())


def team_members(call: Call, organization: str, team: str) -> Reply:
    """List the members of a team."""
    return enveloped(_ids(call.team_of(organization, team).members))


def team_joined(call: Call, organization: str, team: str, member: str) -> Reply:
    """Add a member to a team."""
    found, joining = call.team_of(organization, team), call.member_of(organization, member)
    if not call.manages(organization):
        raise forbidden(Code.MAY_NOT_IN_ORGANIZATION)
    if joining.member_id not in found.members:
        found.members.append(joining.member_id)
    return enveloped({})


def team_permissions(call: Call, organization: str, team: str, member: str) -> Reply:
    """Tell what a member may do in a team."""
    call.team_of(organization, team)
    call.member_of(organization, member)
    return _permissions(call, member, "TEAM_MANAGE_MEMBER", "TEAM_MANAGE_SOCIAL_PROFILE")


def team_profiles(call: Call, organization: str, team: str) -> Reply:
    """List the social profiles that a team looks after."""
    return enveloped(_ids(call.team_of(organization, team).profiles))


def profiles_listed(call: Call) -> Reply:
    """List the social profiles that the caller may use."""
    profiles = call.world.directory.profiles.values()
    return enveloped([profile.published() for profile in profiles if call.sees(profile.owner_id)])


def profile_shown(call: Call, profile: str) -> Reply:
    """Give one social profile."""
    return enveloped(call.profile(profile).published())


def profile_teams(call: Call, profile: str) -> Reply:
    """List the teams that look after a social profile; a stranger gets 401 here, as published."""
    call.profile(profile, HTTPStatus.UNAUTHORIZED)
    return enveloped(_ids(team.team_id for team in call.world.directory.teams.values() if profile in team.profiles))


def checked_name(asked: Mapping[str, Any], name: str) -> str:
    """Read the name of a person."""
    if not asked.get(name):
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.MISSING_NAME)
    value = text(asked, name)
    if len(value) not in _NAME:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_NAME)
    return value


def checked_mail(call: Call, asked: Mapping[str, Any], name: str) -> str:
    """Read a mail address that nobody has yet."""
    if not asked.get(name):
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.MISSING_EMAIL)
    value = text(asked, name)
    if not _MAIL.fullmatch(value):
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_EMAIL)
    if any(member.email == value for member in call.world.directory.members.values()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.EMAIL_TAKEN)
    return value


def checked_team_name(call: Call, organization: str, asked: Mapping[str, Any], name: str) -> str:
    """Read the name of a team that no team of the organization has yet."""
    value = text(asked, name)
    if len(value) not in _TEAM_NAME:
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.TEAM_NAME_LENGTH)
    if any(team.name == value for team in call.world.directory.teams_of(organization)):
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.TEAM_NAME_TAKEN)
    return value


def _member(call: Call, member: str) -> Member:
    found = call.world.directory.members.get(member)
    if found is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, Code.INVALID_MEMBER, resource=("member", member))
    if not any(call.sees(one) for one in found.organizations):
        raise forbidden(Code.MAY_NOT_IN_ORGANIZATION)
    return found


def _permissions(call: Call, member: str, *all_of_them: str) -> Reply:
    owner = member == call.world.directory.owner
    granted = all_of_them if owner else all_of_them[:1]
    return enveloped({"permissions": list(granted), "permissionPreset": "ADMIN" if owner else "DEFAULT"})


def _ids(found: Iterable[str]) -> list[dict[str, str]]:
    return [{"id": one} for one in found]


def _required(name: str) -> str:
    msg = f"{name} is required"
    raise invalid(msg)


_ORGANIZATION = "/v1/organizations/<organization>"
ROUTES = (
    Route("GET", "/v1/me", me),
    Route("GET", "/v1/me/organizations", my_organizations),
    Route("GET", "/v1/me/socialProfiles", my_profiles),
    Route("GET", "/v1/me/adAccounts", my_ad_accounts),
    Route("POST", "/v1/members", member_made),
    Route("GET", "/v1/members/<member>", member_shown),
    Route("GET", "/v1/members/<member>/organizations", member_organizations),
    Route("GET", f"{_ORGANIZATION}/members", organization_members),
    Route("DELETE", f"{_ORGANIZATION}/members/<member>", member_removed),
    Route("GET", f"{_ORGANIZATION}/members/<member>/permissions", organization_permissions),
    Route("GET", f"{_ORGANIZATION}/members/<member>/teams", member_teams),
    Route("GET", f"{_ORGANIZATION}/members/<member>/socialProfiles", member_profiles),
    Route("GET", f"{_ORGANIZATION}/members/<member>/socialProfiles/<profile>/permissions", profile_permissions),
    Route("GET", f"{_ORGANIZATION}/teams", teams_listed),
    Route("POST", f"{_ORGANIZATION}/teams", team_made),
    Route("GET", f"{_ORGANIZATION}/teams/<team>/members", team_members),
    Route("POST", f"{_ORGANIZATION}/teams/<team>/members/<member>", team_joined),
    Route("GET", f"{_ORGANIZATION}/teams/<team>/members/<member>/permissions", team_permissions),
    Route("GET", f"{_ORGANIZATION}/teams/<team>/socialProfiles", team_profiles),
    Route("GET", "/v1/teams/<team>", team_shown),
    Route("GET", "/v1/socialProfiles", profiles_listed),
    Route("GET", "/v1/socialProfiles/<profile>", profile_shown),
    Route("GET", "/v1/socialProfiles/<profile>/teams", profile_teams),
)
