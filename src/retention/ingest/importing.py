"""Import one item of a source.

Order of writes: the import's row is committed first, then batch after batch, each in one transaction with the import's
progress and its findings, then one closing transaction with the entry and the record of when the file goes. A process
that is killed anywhere finds the import by the digest of the bytes and goes on after the last committed record, so that
nothing is lost, nothing doubled and the counts stay exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from retention.audit.entry import entry
from retention.errors import FileChangedError, FileRefusedError
from retention.ingest.batch import Batch, Sorter
from retention.ingest.verdicts import Verdicts
from retention.model import IncomingMessage, from_epoch, iso, to_epoch
from retention.policy.days import local_day
from retention.policy.words import say_day
from retention.store import findings, imports, lease, ledger, register

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.ingest.pseudonyms import Pseudonyms
    from retention.model import RowNotice, RowProblem
    from retention.policy.schedule import Schedule
    from retention.sources.interface import Source, SourceItem
    from retention.store.engine import Database
    from retention.store.imports import ImportResult, Progress
    from retention.store.ledger import Ledger

FINDINGS_LIMIT = 1_000
_CLOSE_SECONDS = 86_400  # an event that tells of a message is sent, and sent again, soon after it


@dataclass(frozen=True, slots=True)
class Terms:
    """What every import of one cycle shares. ``tick`` is told how many records were read since it was told last.

    ``inexact`` has the identities of sources some of whose times are those of an event that told of the message.
    """

    database: Database
    log: AuditLog
    schedule: Schedule
    pseudonyms: Pseudonyms
    lease: lease.Lease
    now: datetime
    batch_size: int = 10_000
    inexact: frozenset[str] = frozenset()
    tick: Callable[[int], None] = field(default=lambda _: None)
    stop: Callable[[], None] = field(default=lambda: None)
    watch: UpstreamWatch | None = None


class UpstreamWatch(Protocol):
    """Who looks at what imports say of the copies that the source keeps."""

    def is_needed(self, connection: Connection, source_id: int) -> bool:
        """Tell whether any message of a source stands in a disposal order."""

    def listed(self, connection: Connection, source_id: int, message_ids: Collection[str]) -> set[str]:
        """Give those identifiers that stand in one."""

    def saw(self, connection: Connection, source_id: int, message_ids: Collection[str], import_id: int) -> None:
        """Note that an import has these identifiers."""

    def weigh(
        self,
        connection: Connection,
        item: SourceItem,
        progress: Progress,
        *,
        source: str,
        source_id: int,
        import_id: int,
        whole: bool,
    ) -> None:
        """Say what an import shows, in the transaction that closes it."""


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What is to become of the file: where it is to wait, and when its disposal is due."""

    place: str
    dispose_at: datetime


AfterImport = Callable[["Progress", "str | None"], "FileEnd | None"]
"""Decides what becomes of a file, once its counts or the reason of its refusal are known."""


def import_item(terms: Terms, source: Source, item: SourceItem, after: AfterImport, *, again: bool) -> ImportResult:
    """Import one item, going on where an earlier attempt was cut off.

    ``again`` reads a file once more although it was imported, where rows of it had been rejected.
    """
    source_id = terms.pseudonyms.know_source(source.identity)
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        done = imports.done_before(connection, source.name, item.digest, item.window)
        if done is not None and not (again and done.rejected):
            _keep_file(connection, source.name, item, after(done, None))
            return _result(source.name, item, imports.Progress(), already_imported=True)
        import_id, progress = _begun(connection, terms, source.name, item)
    return _Import(terms, source, item, import_id, source_id, progress).read(after)


def _begun(connection: Connection, terms: Terms, source: str, item: SourceItem) -> tuple[int, Progress]:
    if (cut_off := imports.unfinished(connection, source, item.digest, item.window)) is not None:
        return cut_off
    import_id = imports.start(
        connection,
        source=source,
        name=item.name,
        digest=item.digest,
        at=terms.now,
        window_from=item.window_from,
        window_to=item.window_to,
    )
    return import_id, imports.Progress()


@dataclass(frozen=True, slots=True)
class _Import:
    """One import under way."""

    terms: Terms
    source: Source
    item: SourceItem
    import_id: int
    source_id: int
    progress: Progress

    def read(self, after: AfterImport) -> ImportResult:
        terms = self.terms
        verdicts = Verdicts(terms.database, terms.schedule, terms.now)
        sorter = Sorter(
            verdicts,
            terms.pseudonyms,
            source=self.source.identity,
            source_id=self.source_id,
            import_id=self.import_id,
            now=terms.now,
        )
        refused: FileRefusedError | None = None
        records = islice(self.source.read(self.item), self.progress.records, None)
        try:
            while chunk := list(islice(records, terms.batch_size)):
                self._commit(sorter.sort(chunk, self._listed(chunk)))
                terms.tick(len(chunk))
                terms.stop()
        except FileRefusedError as error:
            refused = error
        self._close(refused, after)
        reason = refused.reason if refused else None
        return _result(self.source.name, self.item, self.progress, refused=reason)

    def _listed(self, chunk: list[IncomingMessage | RowProblem | RowNotice]) -> set[str]:
        """Give the identifiers of a chunk that stand in an order; only whoever has the lease changes orders' lists."""
        watch = self.terms.watch
        with self.terms.database.read() as connection:
            if watch is None or not watch.is_needed(connection, self.source_id):
                return set()
            ids = {record.message_id for record in chunk if isinstance(record, IncomingMessage)}
            return watch.listed(connection, self.source_id, ids)

    def _commit(self, batch: Batch) -> None:
        terms, progress = self.terms, self.progress
        with terms.database.write() as connection:
            lease.renew(connection, terms.lease, terms.database.dialect.clock)
            registered = self._register(connection, batch) if batch.rows else 0
            room = max(FINDINGS_LIMIT - progress.rejected, 0)
            for problem in batch.problems[:room]:
                self._find_in_row(connection, "rejected-row", problem)
            for notice in batch.notices:
                self._find_in_row(connection, "notice", notice)
            progress.records += batch.records
            progress.registered += registered
            progress.duplicates += len(batch.rows) - registered
            progress.not_covered += batch.not_covered
            progress.born_expired += batch.born_expired
            progress.rejected += len(batch.problems)
            progress.oldest_due_at = _least(progress.oldest_due_at, batch.oldest_due_at)
            progress.oldest_expired_due_at = _least(progress.oldest_expired_due_at, batch.oldest_expired_due_at)
            progress.newest_at = _most(progress.newest_at, batch.newest_at)
            progress.oldest_at = _least(progress.oldest_at, batch.oldest_at)
            progress.listed += batch.listed_expired
            progress.stray_due_at = _least(progress.stray_due_at, batch.stray_due_at)
            progress.stray_first_at = _least(progress.stray_first_at, batch.stray_first_at)
            progress.stray_last_at = _most(progress.stray_last_at, batch.stray_last_at)
            imports.save(connection, self.import_id, progress)
            if batch.listed and terms.watch is not None:
                terms.watch.saw(connection, self.source_id, batch.listed, self.import_id)

    def _register(self, connection: Connection, batch: Batch) -> int:
        new = self.terms.database.dialect.register(connection, batch.rows)
        if new:
            ledger.add(connection, new)
        return new.total()

    def _close(self, refused: FileRefusedError | None, after: AfterImport) -> None:
        terms, name = self.terms, self.source.name
        with terms.database.write() as connection:
            lease.renew(connection, terms.lease, terms.database.dialect.clock)
            terms.log.lock(connection)
            counted = ledger.tell(connection)
            if refused is None:
                findings.mended(connection, "refused-file", at=terms.now, source=name, file=self.item.name)
                terms.log.append(connection, [self._entry(counted)])
            else:
                terms.log.append(connection, self._part_way(counted))
                self._find(connection, "refused-file", refused.reason, line=refused.line, column=refused.column)
            if self.progress.rejected > FINDINGS_LIMIT:
                rest = self.progress.rejected - FINDINGS_LIMIT
                self._find(connection, "rejected-row", f"{rest} more rows were rejected and are not listed one by one")
            self._report_redated(connection)
            if terms.watch is not None:
                terms.watch.weigh(
                    connection,
                    self.item,
                    self.progress,
                    source=name,
                    source_id=self.source_id,
                    import_id=self.import_id,
                    whole=refused is None and not self.progress.rejected,
                )
            imports.finish(connection, self.import_id, "refused" if refused else "done", terms.now)
            if not isinstance(refused, FileChangedError):
                _keep_file(connection, name, self.item, after(self.progress, refused.reason if refused else None))

    def _part_way(self, counted: Ledger) -> list[bytes]:
        """Spell the entry of an import that was refused part way, where it has registered something."""
        if counted.told == counted.messages:
            return []
        digest, counts = self.item.digest, {"before": counted.told, "after": counted.messages}
        return [entry("import_refused", self.terms.now, source=self.source.name, file_digest=digest, **counts)]

    def _entry(self, counted: Ledger) -> bytes:
        window = {"window_from": self.item.window_from, "window_to": self.item.window_to}
        return entry(
            "import_done",
            self.terms.now,
            source=self.source.name,
            file_digest=self.item.digest,
            **self.progress.counts(),
            import_id=self.import_id,
            before=counted.told,
            after=counted.messages,
            **{key: iso(value) for key, value in window.items() if value is not None},
        )

    def _report_redated(self, connection: Connection) -> None:
        """Report messages that the register has under two times of receipt; the purge removes the later."""
        if not self.progress.registered:
            return
        pairs = register.redated_pairs(connection, self.import_id, self.progress.registered)
        imports.mark_redated(connection, pairs)
        close = _CLOSE_SECONDS if self.source.identity in self.terms.inexact else 0
        for later, kept in [(later, kept) for later, _, kept in pairs if later - kept > close][:FINDINGS_LIMIT]:
            reason = f"a message came with two times of receipt, {self._told(kept)} and {self._told(later)}; "
            self._find(connection, "received-time-changed", f"{reason}the earlier is kept")

    def _told(self, at: int) -> str:
        moment = from_epoch(at)
        return f"{iso(moment)} ({say_day(local_day(moment, self.terms.schedule.zone))})"

    def _find_in_row(self, connection: Connection, kind: str, problem: RowProblem | RowNotice) -> None:
        name = f"{self.item.name}/{problem.member}" if problem.member else self.item.name
        self._find(connection, kind, problem.reason, file=name, line=problem.line or None, column=problem.column)

    def _find(
        self,
        connection: Connection,
        kind: str,
        reason: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        findings.open_finding(
            connection,
            kind,
            reason,
            at=self.terms.now,
            source=self.source.name,
            file=file or self.item.name,
            line=line,
            column=column,
            import_id=self.import_id,
        )


def _keep_file(connection: Connection, source: str, item: SourceItem, end: FileEnd | None) -> None:
    if end is not None:
        imports.keep_file(
            connection,
            path=str(item.path),
            digest=item.digest,
            source=source,
            place=end.place,
            dispose_at=to_epoch(end.dispose_at),
        )


def _result(
    source: str,
    item: SourceItem,
    progress: Progress,
    *,
    already_imported: bool = False,
    refused: str | None = None,
) -> ImportResult:
    return imports.ImportResult(
        source, item.name, item.digest, item.window_from, item.window_to, progress, already_imported, refused
    )


def _most(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)
