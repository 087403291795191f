"""Resolve a finding by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.acts.remarks import keep_remark
from retention.errors import UsageError
from retention.store import findings

if TYPE_CHECKING:
    from datetime import datetime

    from retention.context import Context


def resolve_finding(context: Context, finding_id: int, reason: str, now: datetime) -> None:
    """Resolve an open finding.

    Raises:
        UsageError: no open finding has this number.

    """
    with context.database.write() as connection:
        promised = keep_remark(connection, reason)
        if not findings.resolve(connection, finding_id, at=now, commitment=promised):
            msg = f"there is no open finding {finding_id}; see: retention findings list"
            raise UsageError(msg)
