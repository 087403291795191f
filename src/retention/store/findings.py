"""Findings: what a person must look at. They are opened once, resolved by a person or by what mended them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select, update

from retention.model import to_epoch
from retention.store.tables import finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection


class Finding(NamedTuple):
    """One finding. ``opened_at`` and ``resolved_at`` are epoch seconds UTC; texts hold no value from input."""

    id: int
    kind: str
    opened_at: int
    resolved_at: int | None
    source: str
    file: str
    line: int | None
    column: str | None
    reason: str


_COLUMNS = (
    finding.c.id,
    finding.c.kind,
    finding.c.opened_at,
    finding.c.resolved_at,
    finding.c.source,
    finding.c.file,
    finding.c.line,
    finding.c.column_name,
    finding.c.reason,
)


def open_finding(
    connection: Connection,
    kind: str,
    reason: str,
    *,
    at: datetime,
    source: str = "",
    file: str = "",
    line: int | None = None,
    column: str | None = None,
    import_id: int | None = None,
) -> None:
    """Open a finding unless the same one is open already."""
    same = select(finding.c.id).where(
        finding.c.kind == kind,
        finding.c.resolved_at.is_(None),
        finding.c.source == source,
        finding.c.file == file,
        finding.c.reason == reason,
        finding.c.line.is_(None) if line is None else finding.c.line == line,
        finding.c.column_name.is_(None) if column is None else finding.c.column_name == column,
    )
    if connection.execute(same.limit(1)).one_or_none() is not None:
        return
    connection.execute(
        insert(finding).values(
            kind=kind,
            opened_at=to_epoch(at),
            source=source,
            file=file,
            line=line,
            column_name=column,
            reason=reason,
            import_id=import_id,
        )
    )


def load(connection: Connection, *, open_only: bool) -> list[Finding]:
    """Give the findings in the order in which they were opened."""
    query = select(*_COLUMNS).order_by(finding.c.id)
    if open_only:
        query = query.where(finding.c.resolved_at.is_(None))
    return [Finding(*row) for row in connection.execute(query)]


def of_kind(connection: Connection, kind: str) -> list[Finding]:
    """Give the findings of a kind, resolved or not, in the order in which they were opened."""
    query = select(*_COLUMNS).where(finding.c.kind == kind).order_by(finding.c.id)
    return [Finding(*row) for row in connection.execute(query)]


def open_kind(connection: Connection, finding_id: int) -> str | None:
    """Give the kind of a finding that is open, or None where there is none such."""
    query = select(finding.c.kind).where(finding.c.id == finding_id, finding.c.resolved_at.is_(None))
    return connection.execute(query).scalar()


def newest(connection: Connection) -> int:
    """Give the number of the finding that was opened last, or 0."""
    return int(connection.execute(select(func.coalesce(func.max(finding.c.id), 0))).scalar_one())


def count_open(connection: Connection, *, after: int = 0) -> dict[str, int]:
    """Count the open findings by kind; ``after`` is a number, to count only those that were opened later."""
    is_open = finding.c.resolved_at.is_(None) & (finding.c.id > after)
    query = select(finding.c.kind, func.count()).where(is_open).group_by(finding.c.kind)
    return {row[0]: int(row[1]) for row in connection.execute(query.order_by(finding.c.kind))}


def told(connection: Connection, kind: str, source: str) -> dict[str, int | None]:
    """Give every reason for which findings of a kind were ever opened for a source, with the number of an open one."""
    query = select(finding.c.reason, finding.c.id, finding.c.resolved_at).where(finding.c.kind == kind)
    rows = connection.execute(query.where(finding.c.source == source).order_by(finding.c.id))
    return {row[0]: row[1] if row[2] is None else None for row in rows}


def mended_one_by_one(connection: Connection, finding_ids: Iterable[int], *, at: datetime) -> None:
    """Resolve single findings because what caused each is gone."""
    change = update(finding).where(finding.c.resolved_at.is_(None))
    for finding_id in finding_ids:
        connection.execute(change.where(finding.c.id == finding_id).values(resolved_at=to_epoch(at)))


def resolve(connection: Connection, finding_id: int, *, at: datetime, commitment: str) -> bool:
    """Resolve one open finding by a person's word; False where there is none such."""
    changed = connection.execute(
        update(finding)
        .where(finding.c.id == finding_id, finding.c.resolved_at.is_(None))
        .values(resolved_at=to_epoch(at), resolution_commitment=commitment)
    )
    return changed.rowcount == 1


def mended(
    connection: Connection, kind: str, *, at: datetime, source: str | None = None, file: str | None = None
) -> None:
    """Resolve the open findings of a kind because what caused them is gone."""
    change = update(finding).where(finding.c.kind == kind, finding.c.resolved_at.is_(None))
    if source is not None:
        change = change.where(finding.c.source == source)
    if file is not None:
        change = change.where(finding.c.file == file)
    connection.execute(change.values(resolved_at=to_epoch(at)))
