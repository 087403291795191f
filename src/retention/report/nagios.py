"""A status as one line of a monitoring plugin: the answer, the reasons, and figures as performance data.

The form is that of the Monitoring Plugins guidelines, which Nagios, Icinga, Naemon, Checkmk and others read.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retention.report.status import Status


class PluginCode(IntEnum):
    """Exit codes of a plugin; they are not those of the other commands."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


CODES = {"kept": PluginCode.OK, "at_risk": PluginCode.WARNING, "broken": PluginCode.CRITICAL}
_LONGEST = 400


def as_nagios(status: Status) -> str:
    """Give the line; the worst reason stands first and the rest are counted."""
    more = f" (and {len(status.reasons) - 1} more)" if len(status.reasons) > 1 else ""
    following = f"next due on {status.next_due_on}" if status.next_due_on else "nothing becomes due"
    kept = f"{status.registered} registered, {following}"
    told = f"{status.reasons[0]}{more}" if status.reasons else kept
    drill = "DRILL " if status.drill else ""
    return f"RETENTION {CODES[status.promise].name} - {one_line(drill + told)} | {' '.join(_figures(status))}"


def unknown(reason: str) -> str:
    """Give the line of a plugin that cannot tell."""
    return f"RETENTION {PluginCode.UNKNOWN.name} - {one_line(reason) or 'no reason is known'}"


def one_line(text: str) -> str:
    """Make a text fit before the performance data: one line, of a length that is shown, and no mark that ends it."""
    flat = " ".join(text.split()).replace("|", "/")
    flat = "".join(mark if mark.isprintable() else "?" for mark in flat)
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 3] + "..."


def _figures(status: Status) -> list[str]:
    """Spell ``label=value;warn;crit;min;max``: a value above ``warn`` or ``crit`` is what that state begins with."""
    now, findings = datetime.fromisoformat(status.now), status.findings
    found = [
        f"registered={status.registered};;;0",
        f"due={status.due};;;0",
        f"overdue={status.overdue};;0;0",
        f"oldest_overdue={status.oldest_overdue_seconds}s;;;0",
        f"held={status.held};;;0",
        f"upstream_overdue={status.upstream['overdue']};0;;0",
        f"upstream_present={status.upstream['present']};0;;0",
        f"findings={findings['open']};0;;0",
        f"belt_closed={int('belt-closed' in findings['by_kind'])};0;;0;1",
        f"holds={status.holds['active']};;;0",
        f"reviews_overdue={status.holds['reviews_overdue']};0;;0",
        f"log_entries={status.log['size']};;;0",
        f"events_waiting={status.inbox['waiting']};;;0",
    ]
    if status.last_complete_run_at is not None:
        since = now - datetime.fromisoformat(status.last_complete_run_at)
        found.append(f"since_run={max(0, int(since.total_seconds()))}s;;;0")
    lags = [one for one in status.sources if one["lag_seconds"] is not None]
    return [*found, *(f"lag_{one['source']}={one['lag_seconds']}s;;;0" for one in lags)]
