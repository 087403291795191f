"""Hold the register, as it is now, against the log: what no hash can show, because rows are deleted beside the log too.

A Merkle log proves what was written, not that all of it was. So every message that is registered must be accounted for,
and no message that was disposed of may be there:

    counts      by day and class as the ledger has them, in all as the log has them
    imports     no import has more messages in the register than it registered
    pseudonyms  each is the one that the month's key makes of source and identifier; whoever writes rows without the key
                cannot make it
    inbox       events that wait are in no count yet; they have pseudonyms, and nothing else, for people
    disposals   none is of a message that is there, unless an import that came after it brought it back

The log is streamed, once for each quarter of a million messages; memory holds that many pseudonyms and no more.

What remains unseen: rows exchanged for others of the same day, class and import by somebody who has the month keys as
well, or who changes the ledger with them and keeps the total.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retention.audit.log import disposed_pseudonym, stream
from retention.audit.pseudonym import Pseudonymiser, is_pseudonym, month_of
from retention.report.ledger import difference
from retention.store import imports, inbox, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from retention.audit.keys import MonthKeys

    Report = Callable[[str, int | None], None]

ROWS_AT_ONCE = 250_000
_LIMIT = 20
_CALENDAR = range(2**37)  # instants that surely have a month


def compare(connection: Connection, keys: MonthKeys, report: Report) -> int:
    """Compare register and log, and report what does not fit, with the entry it concerns where there is one.

    Gives the number of messages in the register, each of which was looked at.
    """
    if (wrong := difference(connection, by_day=True)) is not None:
        report(wrong, None)
    for import_id, there, registered in imports.overfull(connection):
        report(f"import {import_id} registered {registered} messages, {there} of it are there", None)
    if plain := sum(not all(map(is_pseudonym, people)) for people in inbox.stream_people(connection)):
        report(f"{plain} events that wait have something else than pseudonyms for conversation or contact", None)
    return _Rows(connection, keys, report).compare()


class _Rows:
    """The rows of the register, a quarter of a million of them at a time."""

    def __init__(self, connection: Connection, keys: MonthKeys, report: Report) -> None:
        self._connection = connection
        self._keys = keys
        self._report = report
        self._makers: dict[str, Pseudonymiser | None] = {}
        numbers, names = register.source_numbers(connection), register.source_names(connection)
        self._sources = dict(zip(map(str, numbers), names, strict=True))
        self._strange: dict[str, int] = {}

    def compare(self) -> int:
        known: dict[str, int] = {}
        seen = 0
        for received_at, key, pseudonym, import_id in register.stream_names(self._connection):
            if not self._is_own(received_at, key, pseudonym):
                month = month_of(received_at) if received_at in _CALENDAR else "no month"
                self._strange[month] = self._strange.get(month, 0) + 1
            known[pseudonym] = import_id
            seen += 1
            if len(known) >= ROWS_AT_ONCE:
                self._meet(known)
                known = {}
        if known:
            self._meet(known)
        for month, count in sorted(self._strange.items()):
            self._report(f"{count} registered messages of {month} have a pseudonym that its key does not make", None)
        return seen

    def _is_own(self, received_at: int, key: str, pseudonym: str) -> bool:
        source_id, _, message_id = key.partition(":")
        if source_id not in self._sources or received_at not in _CALENDAR:
            return False
        month = month_of(received_at)
        if month not in self._makers:
            found = self._keys.get(month)
            self._makers[month] = None if found is None else Pseudonymiser(found)
        maker = self._makers[month]
        return maker is not None and maker.message(self._sources[source_id], message_id) == pseudonym

    def _meet(self, known: dict[str, int]) -> None:
        """Report disposals of messages that are there; an import whose end is not told yet came, or comes, after."""
        ended: set[int] = set()
        told = 0
        for index, body in stream(self._connection):
            if body.startswith('{"batch":'):
                import_id = known.get(disposed_pseudonym(body))
                if import_id in ended and told < _LIMIT:
                    told += 1
                    self._report(f"entry {index} is the disposal of a message that is registered", index)
            elif '"kind":"import_done"' in body:
                ended.add(json.loads(body).get("import_id", 0))
