"""Comments of the office that go through approval: a short list that follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.demo.story import THEMES
from retention.simulate.clock import zulu
from retention.simulate.derive import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retention.simulate.answers import Fields
    from retention.simulate.directory import Profile

_FIRST, _COUNT, _EVERY_MS = 5_138_476_039, 40, 3_600_000
PENDING, COMPLETED, REJECTED = "PENDING_APPROVAL", "COMPLETED", "REJECTED"


@dataclass
class Comment:
    """One comment and how far its review is."""

    number: int
    state: str
    text: str
    author: str
    author_name: str
    profile: str
    created_ms: int
    sequence: int = 1

    def published(self) -> Fields:
        """Spell it as the REST API does."""
        return {
            "id": str(self.number),
            "comment": self.text,
            "createdDate": zulu(self.created_ms),
            "creatorId": self.author,
            "creatorName": self.author_name,
            "parentId": f"{self.profile}_{self.number}",
            "parentType": "POST",
            "reviewState": self.state,
            "sequenceNumber": self.sequence if self.state == PENDING else None,
            "socialProfileId": self.profile,
        }


class Comments:
    """All comments by id; every other one waits for approval."""

    def __init__(self, seed: int, profiles: Sequence[Profile], authors: Sequence[str], now_ms: int) -> None:
        """Invent them."""
        self._all: dict[int, Comment] = {}
        for n in range(_COUNT):
            bits = mixed(seed, ~n)
            answers = THEMES[bits % len(THEMES)].answers
            self._all[_FIRST + n] = Comment(
                number=_FIRST + n,
                state=COMPLETED if n % 2 else PENDING,
                text=answers[(bits >> 8) % len(answers)],
                author=authors[(bits >> 16) % len(authors)],
                author_name="Northfold Statistics",
                profile=profiles[(bits >> 24) % len(profiles)].profile_id,
                created_ms=now_ms // 1000 * 1000 - n * _EVERY_MS,
            )

    def find(self, number: int) -> Comment | None:
        """Find one comment by its id."""
        return self._all.get(number)

    def waiting(self) -> list[Comment]:
        """List those that wait for approval."""
        return [comment for comment in self._all.values() if comment.state == PENDING]
