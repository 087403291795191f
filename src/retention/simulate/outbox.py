"""All outbound messages: a million as cheaply as a hundred, because message n follows from the seed when asked for.

Only what was added, changed or deleted is remembered. The listing goes by (instant, id), which is also what a cursor
holds, so a page begins behind the last message of the page before, whatever was added or deleted meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING

from retention.demo.story import THEMES
from retention.simulate.derive import mixed
from retention.simulate.outbound import BECOMES, FAILED, PENDING, REJECTED, SCHEDULED, SENT, Outbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retention.simulate.directory import Profile

_FIRST_ID = 4_138_476_039
_ID_STEP = 7
_FIRST_ADDED_ID = 9_000_000_000
_WRITTEN_BEFORE_MS = 3 * 86_400_000
# Of 200 messages: what they are before their time, and what becomes of them.
_KINDS = [(REJECTED, REJECTED)] * 2 + [(SCHEDULED, FAILED)] * 5 + [(PENDING, REJECTED)] * 4 + [(SCHEDULED, SENT)] * 189

Key = tuple[int, int]


@dataclass(frozen=True)
class Asked:
    """What a listing is asked for; both ends of the time are included."""

    start_ms: int
    end_ms: int
    limit: int = 50
    state: str | None = None
    profiles: frozenset[str] | None = None
    untimed: bool = False
    after: Key | None = None
    before: Key | None = None


@dataclass(frozen=True)
class Page:
    """One page, and whether there is more in the direction in which it was read."""

    messages: list[Outbound]
    more: bool


class Outbox:
    """The outbound messages of the account."""

    def __init__(self, seed: int, count: int, profiles: Sequence[Profile], authors: Sequence[str], span: Key) -> None:
        """Hold ``count`` messages spread evenly over ``span``, a first and a last instant in milliseconds."""
        self._seed, self._count = seed, count
        self._profiles, self._authors = profiles, authors
        self._start, self._span = span[0], span[1] - span[0]
        self._jitter = max(1, self._span // max(1, count))
        self._own: dict[int, Outbound] = {}
        self._added: list[Key] = []
        self._deleted: set[int] = set()
        self._gone = 0

    def __len__(self) -> int:
        """Count the messages that are there."""
        return self._count + len(self._added) - self._gone

    def find(self, number: int) -> Outbound | None:
        """Find one message by its id."""
        if number in self._own:
            return self._own[number]
        n, rest = divmod(number - _FIRST_ID, _ID_STEP)
        if 0 <= n < self._count and number not in self._deleted and rest == mixed(self._seed, n) % _ID_STEP:
            return self._derived(n)
        return None

    def new_number(self) -> int:
        """Give the id of the next message that is added."""
        return _FIRST_ADDED_ID + len(self._added) + len(self._deleted) + self._gone

    def add(self, message: Outbound) -> None:
        """Add a message."""
        self._own[message.number] = message
        insort(self._added, message.key)

    def keep(self, message: Outbound) -> None:
        """Remember a message that was changed."""
        self._own[message.number] = message

    def delete(self, message: Outbound) -> None:
        """Delete a message for ever."""
        self._own.pop(message.number, None)
        if message.number >= _FIRST_ADDED_ID:
            self._added.remove(message.key)
            self._deleted.add(message.number)
        else:
            self._deleted.add(message.number)
            self._gone += 1

    def page(self, asked: Asked, now_ms: int) -> Page:
        """Read one page, forward behind ``after``, or backward before ``before``; always in order of time."""
        if asked.profiles is not None and not asked.profiles:
            return Page([], more=False)
        backward = asked.before is not None
        found: list[Outbound] = []
        for message in self._walk(asked, now_ms, backward=backward):
            if len(found) == asked.limit:
                return Page(found[::-1] if backward else found, more=True)
            found.append(message)
        return Page(found[::-1] if backward else found, more=False)

    def _walk(self, asked: Asked, now_ms: int, *, backward: bool) -> Iterator[Outbound]:
        start, end = _narrowed(asked, now_ms)
        low: Key = max((start, -1), asked.after or (start, -1))
        high: Key = min((end + 1, -1), asked.before or (end + 1, -1))
        both = (self._among_derived(low, high, asked, now_ms, backward=backward),
                self._among_added(low, high, asked, now_ms, backward=backward))  # fmt: skip
        return merge(*both, key=lambda message: message.key, reverse=backward)

    def _among_derived(self, low: Key, high: Key, asked: Asked, now_ms: int, *, backward: bool) -> Iterator[Outbound]:
        first, last = self._behind(low), self._at_or_behind(high)
        for n in reversed(range(first, last)) if backward else range(first, last):
            bits = mixed(self._seed, n)
            number = _FIRST_ID + _ID_STEP * n + bits % _ID_STEP
            if number in self._deleted:
                continue
            changed = self._own.get(number)
            if changed is None and asked.profiles is not None and self._profile(bits).profile_id not in asked.profiles:
                continue
            if changed is None and asked.state and asked.state not in _KINDS[(bits >> 8) % len(_KINDS)]:
                continue
            message = changed or self._derived(n)
            if _fits(message, asked, now_ms):
                yield message

    def _among_added(self, low: Key, high: Key, asked: Asked, now_ms: int, *, backward: bool) -> Iterator[Outbound]:
        keys = self._added[bisect_left(self._added, (low[0], low[1] + 1)) : bisect_left(self._added, high)]
        for key in reversed(keys) if backward else keys:
            message = self._own[key[1]]
            if _fits(message, asked, now_ms):
                yield message

    def _behind(self, key: Key) -> int:
        """Give the first n whose key is greater."""
        return bisect_left(range(self._count), (key[0], key[1] + 1), key=self._key)

    def _at_or_behind(self, key: Key) -> int:
        return bisect_left(range(self._count), key, key=self._key)

    def _key(self, n: int) -> Key:
        bits = mixed(self._seed, n)
        return self._instant(n, bits), _FIRST_ID + _ID_STEP * n + bits % _ID_STEP

    def _instant(self, n: int, bits: int) -> int:
        # The jitter stays below the distance to the next message, so later numbers never come earlier.
        exact = self._start + n * self._span // max(1, self._count) + (bits >> 20) % self._jitter
        return exact // 1000 * 1000

    def _profile(self, bits: int) -> Profile:
        return self._profiles[(bits >> 16) % len(self._profiles)]

    def _derived(self, n: int) -> Outbound:
        bits = mixed(self._seed, n)
        before, after = _KINDS[(bits >> 8) % len(_KINDS)]
        answers = THEMES[(bits >> 24) % len(THEMES)].answers
        at_ms = self._instant(n, bits)
        return Outbound(
            number=_FIRST_ID + _ID_STEP * n + bits % _ID_STEP,
            at_ms=at_ms,
            profile=self._profile(bits),
            before=before,
            after=after,
            text=answers[(bits >> 32) % len(answers)],
            author=self._authors[(bits >> 40) % len(self._authors)],
            created_ms=at_ms - (bits >> 44) % _WRITTEN_BEFORE_MS - 1000,
            sequence=1 if before == PENDING else None,
        )


def _fits(message: Outbound, asked: Asked, now_ms: int) -> bool:
    return (
        (message.timed or asked.untimed)
        and (asked.state is None or message.state(now_ms) == asked.state)
        and (asked.profiles is None or message.profile.profile_id in asked.profiles)
    )


def _narrowed(asked: Asked, now_ms: int) -> Key:
    """Leave out the times at which no message can have the state, so that a rare state is found quickly."""
    if asked.untimed:
        return asked.start_ms, asked.end_ms
    if asked.state in {SENT, FAILED}:
        return asked.start_ms, min(asked.end_ms, now_ms)
    if asked.state in {SCHEDULED, PENDING}:
        return max(asked.start_ms, now_ms + 1), asked.end_ms
    return asked.start_ms, asked.end_ms


def decided(state: str) -> tuple[str, str]:
    """Give the states before and after its time of a message that a person has put into a state."""
    return state, BECOMES[state]
