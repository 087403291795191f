"""Resolve a finding by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.acts.remarks import keep_remark
from retention.audit.entry import entry
from retention.errors import UsageError
from retention.report.ledger import REGISTER_MISMATCH
from retention.store import findings, ledger

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.context import Context


def resolve_finding(context: Context, finding_id: int, reason: str, now: datetime) -> None:
    """Resolve an open finding; where register and ledger differ, the ledger begins anew with what is there.

    Raises:
        UsageError: no open finding has this number.

    """
    with context.database.write() as connection:
        context.log.lock(connection)
        promised = keep_remark(connection, reason)
        kind = findings.open_kind(connection, finding_id)
        if not findings.resolve(connection, finding_id, at=now, commitment=promised):
            msg = f"there is no open finding {finding_id}; see: retention findings list"
            raise UsageError(msg)
        if kind == REGISTER_MISMATCH:
            _begin_anew(context, connection, finding_id, promised, now)


def _begin_anew(context: Context, connection: Connection, finding_id: int, promised: str, now: datetime) -> None:
    """Count the register and go on from that; what else was found of the kind is settled by it too."""
    before, after = ledger.rebase(connection)
    counts = {"before": before, "after": after, "finding": finding_id}
    context.log.append(connection, [entry("register_reconciled", now, **counts, reason=promised)])
    findings.mended(connection, REGISTER_MISMATCH, at=now)
