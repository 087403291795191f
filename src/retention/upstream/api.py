"""Have messages that were disposed of here deleted by the interface that they came from.

Calls are never made inside a transaction, because they cannot be taken back with it. Order of writes: the batch that
disposes of messages notes them as waiting, in its own transaction → a group is intended, with an entry → the calls →
what became of each, with entries. A process that dies between the calls and their outcome leaves intentions; the next
run makes the same calls again, and what is not there any more is gone. So the log has for every intention an outcome:
the counts of ``upstream_intended`` are those of ``upstream_deleted``, ``upstream_failed`` and ``upstream_unknown``.
Each entry names the run that disposed of the messages, whichever run makes the calls.

*deleted* is what the interface says of a message by its receipt, or that it is not there. *failed* is a call that it
refused or that was not made, *unknown* one without an answer. Those are intended anew by a later run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.errors import ApiBusyError, ApiError
from retention.logs import get_logger
from retention.store import findings, lease, register, upstream_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.sources.interface import Remover
    from retention.store.engine import Database
    from retention.store.upstream_calls import Call

FAILED = "upstream-call-failed"
REFUSED = "upstream-not-deleted"
GROUP = 50
"""Calls between an intention and its outcome."""
MOST_REFUSALS = 30
"""After so many the identifier goes, and a person has to delete the message."""

_log = get_logger("upstream")


@dataclass(frozen=True, slots=True)
class CallTerms:
    """What all calls of one run share."""

    database: Database
    log: AuditLog
    lease: lease.Lease
    now: datetime
    stop: Callable[[], None]


@dataclass(slots=True)
class _Outcome:
    """What became of a group. ``error`` is why the rest of it was not asked for."""

    deleted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    not_made: list[str] = field(default_factory=list)
    error: BaseException | None = None


class Lister:
    """Notes what a batch disposes of, where its source deletes by an interface."""

    def __init__(self, database: Database, sources: Collection[str]) -> None:
        """Take the names of those sources."""
        with database.read() as connection:
            names = zip(register.source_numbers(connection), register.source_names(connection), strict=True)
            self._numbers = {str(number): number for number, name in names if name in sources}

    def __call__(self, connection: Connection, run_id: int, _batch: int, rows: Iterable[tuple[int, str]]) -> None:
        """Note them in the batch's own transaction; a row is time of receipt and key."""
        if self._numbers:
            parts = (key.partition(":") for _, key in rows)
            keys = [(self._numbers[number], one) for number, _, one in parts if number in self._numbers]
            upstream_calls.enlist(connection, run_id, keys)


def make_calls(terms: CallTerms, removers: Iterable[Remover], *, left_only: bool = False) -> int:
    """Make the calls that wait, and give how many messages were settled.

    ``left_only`` makes those again whose outcome a process that died has not written down, and no others.
    """
    settled = 0
    for remover in removers:
        with terms.database.read() as connection:
            names = zip(register.source_names(connection), register.source_numbers(connection), strict=True)
            number = dict(names).get(remover.name)
        if number is not None:
            settled += _Source(terms, remover, number, left_only=left_only).everything()
    return settled


class _Source:
    """The calls of one source."""

    def __init__(self, terms: CallTerms, remover: Remover, number: int, *, left_only: bool) -> None:
        self._terms, self._remover, self._number = terms, remover, number
        self._states = [upstream_calls.INTENDED] + ([] if left_only else [upstream_calls.WAITING])

    def everything(self) -> int:
        settled, floor = 0, ""
        while calls := self._intended(floor):
            outcome = self._asked(calls)
            settled += self._write_down(calls, outcome)
            if outcome.error is not None:
                if not isinstance(outcome.error, ApiError):
                    raise outcome.error
                return settled
            floor = calls[-1].message_id
        self._mend()
        return settled

    def _intended(self, floor: str) -> list[Call]:
        """Take the next group, and commit to it with an entry for what was not intended before."""
        terms = self._terms
        terms.stop()
        with terms.database.write() as connection:
            lease.renew(connection, terms.lease, terms.database.dialect.clock)
            calls = upstream_calls.after(connection, self._number, floor, limit=GROUP, states=self._states)
            new = [call.message_id for call in calls if call.state == upstream_calls.WAITING]
            upstream_calls.intend(connection, self._number, new)
            self._tell(connection, calls, intended=new)
        return calls

    def _asked(self, calls: list[Call]) -> _Outcome:
        outcome = _Outcome()
        left = [call.message_id for call in reversed(calls)]
        try:
            while left:
                removal = self._remover.remove(left[-1])
                (outcome.refused if removal == "refused" else outcome.deleted).append(left.pop())
        except ApiBusyError as error:
            outcome.unknown.append(left.pop())
            outcome.error = error
        except Exception as error:  # noqa: BLE001 - told again when what was done is written down
            outcome.error = error
        outcome.not_made = left
        return outcome

    def _write_down(self, calls: list[Call], outcome: _Outcome) -> int:
        terms, number = self._terms, self._number
        given_up = {call.message_id for call in calls if call.refusals + 1 >= MOST_REFUSALS} & set(outcome.refused)
        with terms.database.write() as connection:
            lease.renew(connection, terms.lease, terms.database.dialect.clock)
            upstream_calls.settle(connection, number, [*outcome.deleted, *given_up])
            upstream_calls.note_deleted(connection, number, _by_run(calls, outcome.deleted))
            upstream_calls.put_back(connection, number, [*outcome.unknown, *outcome.not_made], refused=False)
            upstream_calls.put_back(connection, number, outcome.refused, refused=True)
            failed = [*outcome.refused, *outcome.not_made]
            self._tell(connection, calls, deleted=outcome.deleted, failed=failed, unknown=outcome.unknown)
            if given_up:
                reason = f"Hootsuite refused {MOST_REFUSALS} times to delete a message; delete it in the dashboard"
                self._find(connection, REFUSED, reason)
            if isinstance(outcome.error, ApiError):
                self._find(connection, FAILED, str(outcome.error))
        _log.info("calls", source=self._remover.name, deleted=len(outcome.deleted), failed=len(failed))
        return len(outcome.deleted) + len(given_up)

    def _mend(self) -> None:
        """Resolve what is over, and say how many messages the interface refuses to delete."""
        with self._terms.database.write() as connection:
            findings.mended(connection, FAILED, at=self._terms.now, source=self._remover.name)
            if left := upstream_calls.count(connection, self._number):
                _log.warning("messages are not deleted upstream", source=self._remover.name, count=left)

    def _tell(self, connection: Connection, calls: list[Call], **outcomes: list[str]) -> None:
        """Append what became of messages, counted by the run that disposed of them."""
        entries = [
            entry(f"upstream_{what}", self._terms.now, source=self._remover.name, run=run, count=count)
            for what, ids in outcomes.items()
            for run, count in sorted(_by_run(calls, ids).items())
        ]
        if entries:
            self._terms.log.append(connection, entries)

    def _find(self, connection: Connection, kind: str, reason: str) -> None:
        findings.open_finding(connection, kind, reason, at=self._terms.now, source=self._remover.name)


def _by_run(calls: list[Call], ids: list[str]) -> Counter[int]:
    run_of = {call.message_id: call.run_id for call in calls}
    return Counter(run_of[one] for one in ids)
