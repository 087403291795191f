"""Turn one batch of a source's records into rows of the register, counts and problems. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retention.errors import KeyDestroyedError
from retention.ingest.pseudonyms import ANY_SOURCE
from retention.model import IncomingMessage, PseudonymousMessage, RowNotice, RowProblem, to_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from retention.ingest.pseudonyms import Pseudonyms
    from retention.ingest.verdicts import Verdicts
    from retention.policy.schedule import Rule

_AHEAD_SECONDS = 86_400
_FUTURE = (
    "the time of receipt is more than a day in the future; check the source's time_zone and the clock of this machine"
)

Row = tuple[int, str, int, str, str, str, int, int]


@dataclass(slots=True)
class Batch:
    """What one batch of records comes to. ``first_due`` maps a rule to the earliest receipt under it."""

    rows: list[Row] = field(default_factory=list)
    records: int = 0
    not_covered: int = 0
    born_expired: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    notices: list[RowNotice] = field(default_factory=list)
    oldest_due_at: int | None = None
    oldest_expired_due_at: int | None = None
    newest_at: int | None = None


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

    def sort(self, records: Iterable[IncomingMessage | RowProblem | RowNotice]) -> Batch:
        """Sort one batch of records."""
        batch = Batch()
        covered: dict[str, tuple[Rule, int]] = {}
        expired: dict[str, tuple[Rule, int]] = {}
        horizon = self._seen_at + _AHEAD_SECONDS
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
            if batch.newest_at is None or received_at > batch.newest_at:
                batch.newest_at = received_at
            verdict = verdict_of(record.message_class)
            rule = verdict.rule
            if rule is None:
                batch.not_covered += 1
            elif received_at < verdict.cutoff:
                batch.born_expired += 1
                _keep_earliest(expired, rule, received_at)
            else:
                class_id = verdict.class_id or self._verdicts.number(record.message_class, verdict)
                row = self._row(record, class_id)
                if isinstance(row, RowProblem):
                    batch.problems.append(row)
                    continue
                batch.rows.append(row)
                _keep_earliest(covered, rule, received_at)
        batch.oldest_due_at = self._first_due(covered)
        batch.oldest_expired_due_at = self._first_due(expired)
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


def _keep_earliest(earliest: dict[str, tuple[Rule, int]], rule: Rule, received_at: int) -> None:
    known = earliest.get(rule.name)
    if known is None or received_at < known[1]:
        earliest[rule.name] = (rule, received_at)
