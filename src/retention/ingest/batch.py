"""Turn one batch of a source's records into rows of the register, counts and problems. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.errors import KeyDestroyedError
from retention.ingest.pseudonyms import ANY_SOURCE
from retention.model import IncomingMessage, PseudonymousMessage, RowNotice, RowProblem, to_epoch

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

    from retention.ingest.pseudonyms import Pseudonyms
    from retention.ingest.verdicts import Verdicts
    from retention.policy.schedule import Rule

_AHEAD_SECONDS = 86_400
_NEVER = (-(2**62), 2**62)
_FUTURE = (
    "the time of receipt is more than a day in the future; check the source's time_zone and the clock of this machine"
)

Row = tuple[int, str, int, str, str, str, int, int]


@dataclass(slots=True)
class Batch:
    """What one batch of records comes to. ``listed`` holds those of its identifiers that stand in a disposal order."""

    rows: list[Row] = field(default_factory=list)
    records: int = 0
    not_covered: int = 0
    born_expired: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    notices: list[RowNotice] = field(default_factory=list)
    oldest_due_at: int | None = None
    oldest_expired_due_at: int | None = None
    newest_at: int | None = None
    oldest_at: int | None = None
    listed: set[str] = field(default_factory=set)
    listed_expired: int = 0
    stray_due_at: int | None = None
    stray_first_at: int | None = None
    stray_last_at: int | None = None


class Sorter:
    """Sorts the records of one import."""

    def __init__(
        self, verdicts: Verdicts, pseudonyms: Pseudonyms, *, source: str, source_id: int, import_id: int, now: datetime
    ) -> None:
        """Remember what every row of the import has in common."""
        self._verdicts = verdicts
        self._pseudonyms = pseudonyms
        self._source = source
        self._prefix = f"{source_id}:"
        self._import_id = import_id
        self._now = now
        self._seen_at = to_epoch(now)

    def sort(
        self, records: Iterable[IncomingMessage | RowProblem | RowNotice], listed: Container[str] = frozenset()
    ) -> Batch:
        """Sort one batch of records; ``listed`` knows the identifiers that stand in a disposal order."""
        batch = Batch()
        covered: dict[str, tuple[Rule, int]] = {}
        expired: dict[str, tuple[Rule, int]] = {}
        strays: dict[str, tuple[Rule, int]] = {}
        horizon = self._seen_at + _AHEAD_SECONDS
        newest, oldest = _NEVER
        verdict_of = self._verdicts.of
        for record in records:
            batch.records += 1
            if type(record) is not IncomingMessage and not isinstance(record, PseudonymousMessage):
                self._note(batch, record)
                continue
            received_at = record.received_at
            if received_at > horizon:
                batch.problems.append(RowProblem(record.line, None, _FUTURE))
                continue
            newest, oldest = max(newest, received_at), min(oldest, received_at)
            if record.message_id in listed:
                batch.listed.add(record.message_id)
            verdict = verdict_of(record.message_class)
            rule = verdict.rule
            if rule is None:
                batch.not_covered += 1
            elif received_at < verdict.cutoff:
                batch.born_expired += 1
                _keep_earliest(expired, rule, received_at)
                _note_stray(batch, strays, record, rule)
            else:
                class_id = verdict.class_id or self._verdicts.number(record.message_class, verdict)
                row = self._row(record, class_id)
                if isinstance(row, RowProblem):
                    batch.problems.append(row)
                    continue
                batch.rows.append(row)
                _keep_earliest(covered, rule, received_at)
        if (newest, oldest) != _NEVER:
            batch.newest_at, batch.oldest_at = newest, oldest
        batch.oldest_due_at = self._first_due(covered)
        batch.oldest_expired_due_at = self._first_due(expired)
        batch.stray_due_at = self._first_due(strays)
        batch.stray_first_at = min((at for _, at in strays.values()), default=None)
        return batch

    def _row(self, message: IncomingMessage, class_id: int) -> Row | RowProblem:
        received_at = message.received_at
        try:
            pseudonymiser = self._pseudonyms.for_time(received_at, self._now)
        except KeyDestroyedError as error:
            return RowProblem(message.line, "received_at", str(error))
        conversation, contact = message.conversation_id, message.contact_id
        if type(message) is IncomingMessage:
            conversation = pseudonymiser.conversation(ANY_SOURCE, conversation)
            contact = pseudonymiser.contact(ANY_SOURCE, contact)
        return (
            received_at,
            self._prefix + message.message_id,
            class_id,
            pseudonymiser.message(self._source, message.message_id),
            conversation,
            contact,
            self._import_id,
            self._seen_at,
        )

    def _note(self, batch: Batch, record: IncomingMessage | RowProblem | RowNotice) -> None:
        if isinstance(record, RowProblem):
            batch.problems.append(record)
        elif isinstance(record, RowNotice):
            batch.notices.append(record)

    def _first_due(self, earliest: dict[str, tuple[Rule, int]]) -> int | None:
        return min((self._verdicts.due_at(rule, at) for rule, at in earliest.values()), default=None)


def _note_stray(batch: Batch, strays: dict[str, tuple[Rule, int]], record: IncomingMessage, rule: Rule) -> None:
    if record.message_id in batch.listed:
        batch.listed_expired += 1
        return
    _keep_earliest(strays, rule, record.received_at)
    batch.stray_last_at = max(batch.stray_last_at or record.received_at, record.received_at)


def _keep_earliest(earliest: dict[str, tuple[Rule, int]], rule: Rule, received_at: int) -> None:
    known = earliest.get(rule.name)
    if known is None or received_at < known[1]:
        earliest[rule.name] = (rule, received_at)
