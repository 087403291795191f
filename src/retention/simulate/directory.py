"""The invented account: two organizations, their members, teams and social profiles, and who may see what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from retention.demo.networks import NETWORKS
from retention.demo.people import DESK
from retention.simulate.clock import zulu
from retention.simulate.derive import mixed

if TYPE_CHECKING:
    from retention.simulate.answers import Fields

ORGANIZATION, OTHER_ORGANIZATION = "626731", "626799"
_FIRST_MEMBER, _FIRST_PROFILE, _FIRST_TEAM = 15240789, 115185509, 359493
_DAY_MS = 86_400_000
_KINDS = {
    "fb": "FACEBOOKPAGE",
    "twit": "TWITTER",
    "instagram": "INSTAGRAMBUSINESS",
    "whatsapp": "WHATSAPP",
    "linkedin": "LINKEDINCOMPANY",
}
_PUBLISHES = ("FACEBOOKPAGE", "TWITTER", "INSTAGRAMBUSINESS", "LINKEDINCOMPANY")
LANGUAGES = tuple("en ja fr it es de pt_BR pl id zh_CN zh_HK zh_TW nl ko ar ru th tr".split())  # noqa: SIM905 - eighteen quoted codes hide each other


@dataclass
class Member:
    """One person with a login."""

    member_id: str
    full_name: str
    email: str
    created_ms: int
    modified_ms: int
    organizations: list[str]
    company: str = ""
    bio: str = ""
    timezone: str = "Europe/London"
    language: str = "en"
    active: bool = True
    title: str = ""

    def published(self) -> Fields:
        """Spell it as the REST API does."""
        return {
            "id": self.member_id,
            "email": self.email,
            "isActive": self.active,
            "createdDate": zulu(self.created_ms),
            "modifiedDate": zulu(self.modified_ms),
            "fullName": self.full_name,
            "companyName": self.company,
            "bio": self.bio,
            "timezone": self.timezone,
            "language": self.language,
        }


@dataclass
class Team:
    """Members of one organization who look after the same social profiles."""

    team_id: str
    organization: str
    name: str
    created_ms: int
    created_by: str
    members: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)

    def published(self) -> Fields:
        """Spell it as the REST API does."""
        return {
            "id": self.team_id,
            "name": self.name,
            "logoUrl": f"https://assets.hootsuite.example/teams/{self.team_id}.gif",
            "createdDate": zulu(self.created_ms),
            "createdByMember": {"id": self.created_by},
            "modifiedDate": zulu(self.created_ms),
            "modifiedByMember": {"id": self.created_by},
        }


class Profile(NamedTuple):
    """One account of an organization on a social network."""

    profile_id: str
    kind: str
    network_id: str
    name: str
    owner: str
    owner_id: str
    needs_approval: bool

    def published(self) -> Fields:
        """Spell it as the REST API does: nothing of Twitter's own data."""
        twitter = self.kind == "TWITTER"
        return {
            "id": self.profile_id,
            "type": self.kind,
            "socialNetworkId": self.network_id,
            "socialNetworkUsername": None if twitter else self.name,
            "avatarUrl": None if twitter else f"https://avatars.hootsuite.example/{self.profile_id}.jpg",
            "owner": self.owner,
            "ownerId": self.owner_id,
            "isReauthRequired": 0,
        }


class Directory:
    """Everybody and everything that the account knows, by id."""

    def __init__(self, seed: int, now_ms: int) -> None:
        """Invent the account; its first member pays for it and may do everything."""
        long_ago = now_ms // _DAY_MS * _DAY_MS - 900 * _DAY_MS
        self.names = {ORGANIZATION: "Northfold Statistics", OTHER_ORGANIZATION: "Southmere Archives"}
        self.members: dict[str, Member] = {}
        for agent in DESK:
            mail = f"{agent.name.lower().replace(' ', '.')}@northfold.example"
            self.add_member(agent.name, mail, [ORGANIZATION], long_ago)
        self.add_member("Odalys Elsewhere", "odalys.elsewhere@southmere.example", [OTHER_ORGANIZATION], long_ago)
        self.owner = str(_FIRST_MEMBER)
        self.profiles = {profile.profile_id: profile for profile in _profiles(seed)}
        self.teams: dict[str, Team] = {}
        ids = [*self.members]
        own = [p.profile_id for p in self.profiles.values() if p.owner_id == ORGANIZATION]
        for name, members, profiles in (("Press office", ids[:3], own[:4]), ("Survey help", ids[2:5], own[3:])):
            team = self.add_team(ORGANIZATION, name, self.owner, long_ago)
            team.members, team.profiles = members, profiles

    def add_member(self, name: str, email: str, organizations: list[str], now_ms: int) -> Member:
        """Add a person."""
        member = Member(str(_FIRST_MEMBER + len(self.members)), name, email, now_ms, now_ms, organizations)
        self.members[member.member_id] = member
        return member

    def add_team(self, organization: str, name: str, member: str, now_ms: int) -> Team:
        """Add an empty team."""
        team = Team(str(_FIRST_TEAM + len(self.teams)), organization, name, now_ms, member)
        self.teams[team.team_id] = team
        return team

    def members_of(self, organization: str) -> list[Member]:
        """List who is in an organization."""
        return [member for member in self.members.values() if organization in member.organizations]

    def teams_of(self, organization: str) -> list[Team]:
        """List the teams of an organization."""
        return [team for team in self.teams.values() if team.organization == organization]

    def publishing(self) -> list[Profile]:
        """List the profiles of the first organization that posts go out on."""
        return [p for p in self.profiles.values() if p.owner_id == ORGANIZATION and p.kind in _PUBLISHES]


def _profiles(seed: int) -> list[Profile]:
    found = [
        (_KINDS[network.medium], channel.channel_display_name, ORGANIZATION)
        for network in NETWORKS
        for channel in network.channels
        if network.medium in _KINDS
    ]
    found += [("PINTEREST", "Northfold Charts", ORGANIZATION), ("FACEBOOKPAGE", "Southmere", OTHER_ORGANIZATION)]
    return [
        Profile(
            profile_id=str(_FIRST_PROFILE + 37 * number),
            kind=kind,
            network_id=str(10**15 + mixed(seed, number) % 10**15),
            name=name,
            owner="ORGANIZATION",
            owner_id=organization,
            needs_approval=kind == "LINKEDINCOMPANY",
        )
        for number, (kind, name, organization) in enumerate(found)
    ]
