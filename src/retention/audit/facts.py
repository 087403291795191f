"""Check what entries say against each other: a batch against its disposals, days against the cutoff.

Hashes show that entries are the ones that were appended; this shows that what was appended makes sense by itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.audit.counts import CountCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT = 100

# Matches one entry, or each line of many; sixteen digits keep the number within what an entry may hold.
_DISPOSAL = re.compile(
    rb'^\{"batch":([1-9][0-9]{0,15}),"kind":"disposal","network":"[a-z0-9._-]{1,64}",'
    rb'"pseudonym":"[A-Za-z0-9_-]{22}","received_on":"([0-9]{4}-[0-9]{2}-[0-9]{2})","v":1\}$',
    re.MULTILINE,
)


class Misfit(NamedTuple):
    """Something that does not fit: a sentence, the entry it concerns, and the entry at which it showed."""

    problem: str
    entry: int
    shown_at: int


class FactCheck:
    """Reads entries in order; ``found`` is what does not fit, at most a hundred times. ``counts`` follows the register.

    Of an open batch it keeps no entries, only their number and the days in them.
    """

    def __init__(self) -> None:
        """Start before the first entry."""
        self.found: list[Misfit] = []
        self.counts = CountCheck()
        self._batch = b""
        self._first = 0
        self._count = 0
        self._mixed = False
        self._days: dict[bytes, int] = {}

    def see(self, first: int, bodies: Sequence[bytes]) -> None:
        """Look at the next entries.

        Args:
            first: index of the first of them.
            bodies: their canonical JSON.

        """
        lines = b"\n".join(bodies)
        disposals = _DISPOSAL.findall(lines)
        if len(disposals) == len(bodies) == lines.count(b"\n") + 1:
            self._disposals(first, disposals)
            return
        for index, body in enumerate(bodies, first):
            if disposal := _DISPOSAL.fullmatch(body):
                self._disposals(index, [(disposal[1], disposal[2])])
            else:
                self._other(index, body)

    def end(self, size: int) -> None:
        """Say that an entry is missing where no batch has closed disposals.

        Args:
            size: the number of entries that were seen.

        """
        if self._count:
            self._add(f"entry {size} is missing: no batch closes the disposals from entry {self._first} on", size, size)

    def _add(self, problem: str, index: int, shown_at: int) -> None:
        if len(self.found) < _LIMIT:
            self.found.append(Misfit(problem, index, shown_at))

    def _disposals(self, first: int, disposals: list[tuple[bytes, bytes]]) -> None:
        if not self._count:
            self._first, self._batch = first, disposals[0][0]
        self._count += len(disposals)
        for kind in set(disposals):
            batch, day = kind
            if batch != self._batch and not self._mixed:
                self._mixed = True
                index = first + [other == self._batch for other, _ in disposals].index(False)
                self._add(f"entry {index} belongs to another batch than those before it", index, index)
            if day not in self._days:
                self._days[day] = first + [other for _, other in disposals].index(day)

    def _other(self, index: int, body: bytes) -> None:
        try:
            entry = json.loads(body)
            kind = entry["kind"]
        except (ValueError, KeyError, TypeError, RecursionError):
            entry, kind = {}, "disposal"
        if kind == "disposal":
            self._add(f"entry {index} is not an entry of this log's form", index, index)
        elif kind == "batch":
            self._close(index, entry)
        elif self._count:
            self._add(f"entry {index} stands between disposals and the batch that closes them", index, index)
        if isinstance(kind, str):
            self.counts.see(index, kind, entry)

    def _close(self, index: int, entry: dict[str, Any]) -> None:
        days, first, count = self._days, self._first, self._count
        self._days, self._count, self._mixed = {}, 0, False
        said = (entry.get("batch"), entry.get("first"), entry.get("count"))
        if not count or said != (int(self._batch), first, count):
            self._add(f"the batch at entry {index} does not describe the disposals before it", index, index)
            return
        cutoff = str(entry.get("due_before", ""))
        late = min((at for day, at in days.items() if day.decode("ascii") >= cutoff), default=None)
        if late is not None:
            self._add(f"entry {late} was not due under the cutoff of its batch", late, index)
