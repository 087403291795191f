"""Conversations that run side by side, told turn by turn in order of time.

A fixed number of conversations is open at any time; each instant goes to one of them, and a finished one makes room
for a new one. So the memory needed does not depend on how long the history is. Of the random module only ``random``
and ``getrandbits`` are used: their output for a seed is the same in every Python version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from retention.demo import story
from retention.demo.networks import PRIVATE_TRAFFIC, PUBLIC_TRAFFIC
from retention.demo.people import DESK, NO_AGENT, ROBOT, people

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

    from retention.demo.networks import IdMaker
    from retention.demo.people import Agent
    from retention.demo.rhythm import Block
    from retention.demo.story import Said, Theme
    from retention.model import Visibility

_T = TypeVar("_T")
_PRIVATE_LENGTHS = (2, 2, 3, 3, 4, 4, 5, 6, 7, 10)
_PUBLIC_LENGTHS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 6)
_NEW_POST_SHARE = 0.2
_CASE_SHARE = 0.15


@dataclass(slots=True)
class Talk:
    """One conversation: what all its messages share, how far it has come, and a writer's own rendering of it."""

    head: tuple[str, str, str, str, str, str, str]
    message_type: str
    post: str
    post_url: str
    make_id: IdMaker
    theme: Theme
    agent: Agent
    case: str
    visibility: Visibility
    answers_itself: bool
    left: int
    turn: int = 0
    office_spoke_last: bool = False
    rendered: str = ""


# A plain tuple, because a million are made: message id, conversation, instant in epoch seconds, direction, text,
# sentiment, and who of the office wrote it.
Turn: TypeAlias = tuple[str, Talk, int, str, str, str, "Agent"]


def turns(rng: Random, blocks: Iterable[Block], *, private_share: float, side_by_side: int) -> Iterator[Turn]:
    """Give each instant of the blocks to one of the conversations that are open at the same time."""
    office = _Office(rng, private_share)
    talks = [office.new_talk() for _ in range(side_by_side)]
    random = rng.random
    number = rng.getrandbits(44)  # histories of different seeds share no message id
    for staffed, seconds in blocks:
        for second in seconds:
            slot = int(random() * side_by_side)
            talk = talks[slot]
            if not talk.left:
                talk = talks[slot] = office.new_talk()
            number += 1
            yield _say(rng, talk, number, second, staffed=staffed)


class _Office:
    """The invented office: whom it knows and which posts are being talked about."""

    def __init__(self, rng: Random, private_share: float) -> None:
        self._rng = rng
        self._people = people(rng)
        self._posts: dict[str, str] = {}
        long, short = sum(_PRIVATE_LENGTHS), sum(_PUBLIC_LENGTHS)
        # Private conversations are longer, so fewer of them make up the wanted share of messages.
        self._private_talks = private_share * short / (private_share * short + (1 - private_share) * long)

    def new_talk(self) -> Talk:
        rng = self._rng
        private = rng.random() < self._private_talks
        network, channel, message_type = _one_of(rng, PRIVATE_TRAFFIC if private else PUBLIC_TRAFFIC)
        known = self._people[network.medium]
        person = known[int(rng.random() * rng.random() * len(known))]  # the first ones write more often
        post = "" if private else self._post(channel.name)
        return Talk(
            head=(f"{rng.getrandbits(96):024x}", network.medium, *channel, *person),
            message_type=message_type,
            post=post,
            post_url="" if private else network.post_url(channel.name, post),
            make_id=network.private_id if private else network.public_id,
            theme=_one_of(rng, story.THEMES),
            agent=_one_of(rng, DESK),
            case=f"NF-{rng.getrandbits(20):07d}" if rng.random() < _CASE_SHARE else "",
            visibility="private" if private else "public",
            answers_itself=not network.public_types,
            left=_one_of(rng, _PRIVATE_LENGTHS if private else _PUBLIC_LENGTHS),
        )

    def _post(self, channel: str) -> str:
        if channel not in self._posts or self._rng.random() < _NEW_POST_SHARE:
            self._posts[channel] = str(10**18 + self._rng.getrandbits(60))
        return self._posts[channel]


def _one_of(rng: Random, things: Sequence[_T]) -> _T:
    return things[int(rng.random() * len(things))]


def _say(rng: Random, talk: Talk, number: int, second: int, *, staffed: bool) -> Turn:
    answering = talk.turn > 0 and not talk.office_spoke_last and (staffed or talk.answers_itself)
    talk.left -= 1
    message_id = talk.make_id(rng.getrandbits, number, second, talk.post)
    if answering:
        agent, direction, sentiment = talk.agent if staffed else ROBOT, "outbound", ""
        content = _one_of(rng, _answers(talk, staffed=staffed))
    else:
        agent, direction = NO_AGENT, "inbound"
        content, sentiment = _one_of(rng, _questions(talk))
    talk.turn += 1
    talk.office_spoke_last = answering
    return message_id, talk, second, direction, content, sentiment, agent


def _answers(talk: Talk, *, staffed: bool) -> tuple[str, ...]:
    if not staffed:
        return story.ROBOT_LINES
    return talk.theme.answers if talk.left else story.FAREWELLS


def _questions(talk: Talk) -> tuple[Said, ...]:
    if not talk.turn:
        return talk.theme.questions if talk.visibility == "private" else talk.theme.comments
    return talk.theme.follow_ups if talk.left else story.THANKS
