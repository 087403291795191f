"""Import one item of a source.

Order of writes: the import's row is committed first, then batch after batch, each in one transaction with the import's
progress and its findings, then one closing transaction with the entry and the record of when the file goes. A process
that is killed anywhere finds the import by the digest of the bytes and goes on after the last committed record, so that
nothing is lost, nothing doubled and the counts stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.errors import FileChangedError, FileRefusedError
from retention.ingest.batch import Batch, Sorter
from retention.ingest.verdicts import Verdicts
from retention.model import from_epoch, iso, to_epoch
from retention.policy.days import local_day
from retention.policy.words import say_day
from retention.store import findings, imports, lease, register

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.log import AuditLog
    from retention.ingest.pseudonyms import Pseudonyms
    from retention.model import RowNotice, RowProblem
    from retention.policy.schedule import Schedule
    from retention.sources.interface import Source, SourceItem
    from retention.store.engine import Database
    from retention.store.imports import Progress

FINDINGS_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What every import of one cycle shares. ``tick`` is told how many records were read since it was told last."""

    database: Database
    log: AuditLog
    schedule: Schedule
    pseudonyms: Pseudonyms
    lease: lease.Lease
    now: datetime
    batch_size: int = 10_000
    tick: Callable[[int], None] = field(default=lambda _: None)
    stop: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What is to become of the file: where it is to wait, and when its disposal is due."""

    place: str
    dispose_at: datetime


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How one item was imported. ``refused`` is the reason where the item was refused or could not be read through."""

    source: str
    name: str
    file_digest: str
    window_from: datetime | None
    window_to: datetime | None
    progress: Progress
    already_imported: bool = False
    refused: str | None = None


def import_item(
    terms: Terms,
    source: Source,
    item: SourceItem,
    *,
    after: Callable[[Progress, str | None], FileEnd | None],
    again: bool,
) -> ImportResult:
    """Import one item, going on where an earlier attempt was cut off.

    ``after`` decides what becomes of the file once its counts, or the reason of its refusal, are known. ``again``
    reads a file once more although it was imported, where rows of it had been rejected.
    """
    done, started = _begin(terms, source, item, again=again)
    if done is not None:
        _keep_file(terms, source, item, after(done, None))
        return _result(source, item, imports.Progress(), already_imported=True)
    import_id, progress, source_id = started
    verdicts = Verdicts(terms.database, terms.schedule, terms.now)
    sorter = Sorter(
        verdicts, terms.pseudonyms, source=source.name, source_id=source_id, import_id=import_id, now=terms.now
    )
    refused: FileRefusedError | None = None
    records = islice(source.read(item), progress.records, None)
    try:
        while chunk := list(islice(records, terms.batch_size)):
            _commit(terms, source, item, import_id, progress, sorter.sort(chunk))
            terms.tick(len(chunk))
            terms.stop()
    except FileRefusedError as error:
        refused = error
    _close(terms, source, item, import_id, progress, refused, after)
    return _result(source, item, progress, refused=refused.reason if refused else None)


def _begin(
    terms: Terms, source: Source, item: SourceItem, *, again: bool
) -> tuple[Progress | None, tuple[int, Progress, int]]:
    source_id = terms.pseudonyms.know_source(source.name)
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        done = imports.done_before(connection, source.name, item.digest)
        if done is not None and not (again and done.rejected):
            return done, (0, done, source_id)
        if (cut_off := imports.unfinished(connection, source.name, item.digest)) is not None:
            return None, (*cut_off, source_id)
        import_id = imports.start(
            connection,
            source=source.name,
            name=item.name,
            digest=item.digest,
            at=terms.now,
            window_from=item.window_from,
            window_to=item.window_to,
        )
        return None, (import_id, imports.Progress(), source_id)


def _commit(terms: Terms, source: Source, item: SourceItem, import_id: int, progress: Progress, batch: Batch) -> None:
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        registered = terms.database.dialect.register(connection, batch.rows) if batch.rows else 0
        room = FINDINGS_LIMIT - progress.rejected
        for problem in batch.problems[: max(room, 0)]:
            _open(connection, terms, source, item, "rejected-row", problem, import_id)
        for notice in batch.notices:
            _open(connection, terms, source, item, "notice", notice, import_id)
        progress.records += batch.records
        progress.registered += registered
        progress.duplicates += len(batch.rows) - registered
        progress.not_covered += batch.not_covered
        progress.born_expired += batch.born_expired
        progress.rejected += len(batch.problems)
        progress.oldest_due_at = _least(progress.oldest_due_at, batch.oldest_due_at)
        progress.oldest_expired_due_at = _least(progress.oldest_expired_due_at, batch.oldest_expired_due_at)
        progress.newest_at = max(filter(None, (progress.newest_at, batch.newest_at)), default=None)
        imports.save(connection, import_id, progress)


def _close(
    terms: Terms,
    source: Source,
    item: SourceItem,
    import_id: int,
    progress: Progress,
    refused: FileRefusedError | None,
    after: Callable[[Progress, str | None], FileEnd | None],
) -> None:
    with terms.database.write() as connection:
        lease.renew(connection, terms.lease, terms.database.dialect.clock)
        if refused is None:
            findings.mended(connection, "refused-file", at=terms.now, source=source.name, file=item.name)
            terms.log.append(connection, [_entry(terms, source, item, progress)])
        else:
            findings.open_finding(
                connection,
                "refused-file",
                refused.reason,
                at=terms.now,
                source=source.name,
                file=item.name,
                line=refused.line,
                column=refused.column,
                import_id=import_id,
            )
        if progress.rejected > FINDINGS_LIMIT:
            reason = f"{progress.rejected - FINDINGS_LIMIT} further rows were rejected and are not listed one by one"
            _find(connection, terms, source, item, "rejected-row", reason)
        _report_redated(connection, terms, source, item, import_id, progress)
        _report_upstream(connection, terms, source, item, progress)
        imports.finish(connection, import_id, "refused" if refused else "done", terms.now)
    if not isinstance(refused, FileChangedError):
        _keep_file(terms, source, item, after(progress, refused.reason if refused else None))


def _entry(terms: Terms, source: Source, item: SourceItem, progress: Progress) -> bytes:
    window = {"window_from": item.window_from, "window_to": item.window_to}
    return entry(
        "import_done",
        terms.now,
        source=source.name,
        file_digest=item.digest,
        rows=progress.rows,
        registered=progress.registered,
        duplicates=progress.duplicates,
        not_covered=progress.not_covered,
        born_expired=progress.born_expired,
        rejected=progress.rejected,
        **{key: iso(value) for key, value in window.items() if value is not None},
    )


def _report_redated(
    connection: Connection, terms: Terms, source: Source, item: SourceItem, import_id: int, progress: Progress
) -> None:
    if not progress.registered:
        return
    pairs = register.redated_pairs(connection, import_id, progress.registered)
    imports.mark_redated(connection, pairs)
    zone = terms.schedule.zone
    for later, _, kept in pairs[:FINDINGS_LIMIT]:
        first, second = (say_day(local_day(from_epoch(at), zone)) for at in (kept, later))
        reason = f"a message came with two times of receipt, {iso(from_epoch(kept))} ({first}) and "
        reason += f"{iso(from_epoch(later))} ({second}); the earlier is kept"
        _find(connection, terms, source, item, "received-time-changed", reason)


def _report_upstream(
    connection: Connection, terms: Terms, source: Source, item: SourceItem, progress: Progress
) -> None:
    """Report rows that were due already when the export was made: the source still holds what it should not."""
    made_at = to_epoch(item.window_to) if item.window_to else progress.newest_at
    oldest = progress.oldest_expired_due_at
    if oldest is not None and made_at is not None and oldest <= made_at:
        reason = (
            f"the export has {progress.born_expired} messages past their period, due since {iso(from_epoch(oldest))}"
        )
        _find(connection, terms, source, item, "upstream-present", f"{reason}; the source still holds them")


def _keep_file(terms: Terms, source: Source, item: SourceItem, end: FileEnd | None) -> None:
    if end is None:
        return
    with terms.database.write() as connection:
        imports.keep_file(
            connection,
            path=str(item.path),
            digest=item.digest,
            source=source.name,
            place=end.place,
            dispose_at=to_epoch(end.dispose_at),
        )


def _open(
    connection: Connection,
    terms: Terms,
    source: Source,
    item: SourceItem,
    kind: str,
    problem: RowProblem | RowNotice,
    import_id: int,
) -> None:
    name = f"{item.name}/{problem.member}" if problem.member else item.name
    findings.open_finding(
        connection,
        kind,
        problem.reason,
        at=terms.now,
        source=source.name,
        file=name,
        line=problem.line or None,
        column=problem.column,
        import_id=import_id,
    )


def _find(connection: Connection, terms: Terms, source: Source, item: SourceItem, kind: str, reason: str) -> None:
    findings.open_finding(connection, kind, reason, at=terms.now, source=source.name, file=item.name)


def _result(
    source: Source, item: SourceItem, progress: Progress, *, already_imported: bool = False, refused: str | None = None
) -> ImportResult:
    return ImportResult(
        source.name, item.name, item.digest, item.window_from, item.window_to, progress, already_imported, refused
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)
