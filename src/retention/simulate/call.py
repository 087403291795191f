"""One call of the published API, as the rooms behind it see it, and the table that says who answers what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from retention.simulate.answers import Code, Fields, RefusedError, Reply, forbidden, invalid, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retention.simulate.directory import Member, Profile, Team
    from retention.simulate.tokens import Grant
    from retention.simulate.world import World


@dataclass(frozen=True)
class Call:
    """What was asked, by whom, of which world."""

    world: World
    grant: Grant
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    content: bytes
    base: str

    def one(self, name: str) -> str | None:
        """Give a parameter of the query that may be there once."""
        values = self.query.get(name, [])
        if len(values) > 1:
            msg = f"{name} is given more than once"
            raise invalid(msg)
        return values[0] if values else None

    def fields(self) -> Fields:
        """Read the body as a JSON object."""
        try:
            told = json.loads(self.content)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID_JSON)
        return told

    @property
    def now(self) -> int:
        """Give the instant of the call in milliseconds."""
        return self.world.clock.now()

    @property
    def member(self) -> Member:
        """Give the member for whom the call is made; for an organization, the one who pays for it."""
        return self.world.directory.members[self.grant.member or self.world.directory.owner]

    def sees(self, organization: str) -> bool:
        """Tell whether the caller is in an organization."""
        if self.grant.organization:
            return self.grant.organization == organization
        return organization in self.member.organizations

    def manages(self, organization: str) -> bool:
        """Tell whether the caller may change an organization."""
        return self.sees(organization) and self.grant.member in {None, self.world.directory.owner}

    def organization(self, organization: str, code: Code = Code.MAY_NOT_IN_ORGANIZATION) -> str:
        """Check that an organization is there and the caller is in it."""
        if organization not in self.world.directory.names:
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.NO_ORGANIZATION, resource=("organization", organization))
        if not self.sees(organization):
            raise forbidden(code)
        return organization

    def member_of(self, organization: str, member: str) -> Member:
        """Find a member of an organization that the caller is in."""
        self.organization(organization)
        found = self.world.directory.members.get(member)
        if found is None or organization not in found.organizations:
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_A_MEMBER, resource=("member", member))
        return found

    def team_of(self, organization: str, team: str) -> Team:
        """Find a team of an organization that the caller is in."""
        self.organization(organization)
        found = self.world.directory.teams.get(team)
        if found is None or found.organization != organization:
            raise RefusedError(HTTPStatus.NOT_FOUND, Code.INVALID_TEAM, resource=("team", team))
        return found

    def profile(self, profile: str, status: int = HTTPStatus.FORBIDDEN) -> Profile:
        """Find a social profile that the caller may use."""
        found = self.world.directory.profiles.get(profile)
        if found is None:
            raise missing("socialProfile", profile)
        if not self.sees(found.owner_id):
            raise RefusedError(status, Code.MAY_NOT_SEE_PROFILE)
        return found


class Route(NamedTuple):
    """Who answers a method on a path; names in angle brackets are handed over."""

    method: str
    path: str
    answer: Callable[..., Reply]
