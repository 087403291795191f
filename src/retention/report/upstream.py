"""What is known of the copies that sources keep, and when something arrived from each source last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retention.model import from_epoch, iso, to_epoch
from retention.policy.words import say_count
from retention.store import imports, orders, upstream_calls
from retention.store.coverage import covered, silent_since

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.policy.coverage import Watched

_SECOND = timedelta(seconds=1)
LEVELS = ("deleted", "absent", "attested", "ordered", "unknown", "present")
"""The levels of evidence, the best first."""

UNATTESTED = frozenset({orders.LISTING, "ordered"})
"""The states of an order of which nobody has said that it was carried out."""


@dataclass(slots=True)
class Upstream:
    """Messages in orders of which nothing is settled, those overdue, those shown to be there; and what follows.

    ``broken_since`` are the instants, before the grace, from which what breaks the promise should have been gone.
    """

    ordered: int = 0
    overdue: int = 0
    present: int = 0
    broken: list[str] = field(default_factory=list)
    broken_since: list[int] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)


def calls_of(connection: Connection, run_id: int | None = None) -> list[dict[str, Any]]:
    """Sum up the deletions by an interface, of one run or of all, for each source."""
    found: dict[str, dict[str, Any]] = {}
    for tally in upstream_calls.tallies(connection, run_id):
        one = found.setdefault(tally.source, {"source": tally.source, "deleted": 0, "waiting": 0, "given_up": 0})
        for name in ("deleted", "waiting", "given_up"):
            one[name] += getattr(tally, name)
    return list(found.values())


def deleted_for_earlier(
    before: list[dict[str, Any]], after: list[dict[str, Any]], own: list[dict[str, Any]]
) -> list[str]:
    """Say what a job has had deleted for runs before its own; each list is what calls_of() says, ``own`` of its run."""
    known = {one["source"]: one["deleted"] for one in before}
    of_run = {one["source"]: one["deleted"] for one in own}
    more = (
        (one["source"], one["deleted"] - known.get(one["source"], 0) - of_run.get(one["source"], 0)) for one in after
    )
    return [f"  At {source}: {count} deleted there by calls, for earlier runs." for source, count in more if count > 0]


def calls_as_text(call: dict[str, Any]) -> str:
    """Give what became of the deletions at one source."""
    told = f"{call['deleted']} deleted there by calls"
    told += f", {call['waiting']} to be called again" if call["waiting"] else ""
    return told + (f", {call['given_up']} refused for good" if call["given_up"] else "")


def upstream_of(connection: Connection, now: datetime, grace: timedelta) -> Upstream:
    """Say how things stand at the sources.

    What an order lists may be there until the order is due; shown to be there it is a risk, and once the grace after
    that day is over it breaks the promise. What no order lists breaks it when the grace after its own day is over. That
    identifiers were forgotten does not make it better: then the finding counts until a person resolves it.
    """
    found, late = Upstream(), to_epoch(now - grace)
    shown = orders.shown_present(connection)
    for order in orders.load(connection):
        found.ordered += order.left
        found.present += order.present
        overdue = order.left and order.overdue_at is not None and order.overdue_at <= to_epoch(now)
        forgotten = not order.left and orders.label(order.id) in shown
        see = f"see: retention upstream show {order.id}"
        if order.present or forgotten:
            held = f"{say_count(order.present, 'message') if order.present else 'some messages'} of order {order.id}"
            told = f"an export shows that {order.source} still holds {held}"
            breaks = order.overdue_at is not None and order.overdue_at < late
            (found.broken if breaks else found.risks).append(f"{told}; {see}")
            found.broken_since += [order.overdue_at] if breaks and order.overdue_at is not None else []
        if overdue and order.state != "attested":
            found.overdue += order.left
        if overdue and order.state in UNATTESTED:
            found.risks.append(f"order {order.id} was to be carried out by {order.due_on}, nobody attested it; {see}")
    for stray in orders.strays(connection):
        found.present += stray.messages
        if stray.due_at < late:
            found.broken_since.append(stray.due_at)
            since = iso(from_epoch(stray.due_at))
            found.broken.append(
                f"an export shows that {stray.source} still holds {say_count(stray.messages, 'message')} past the "
                f"period, the first due since {since}; see finding {stray.finding_id} in: retention findings list"
            )
    return found


def lags(connection: Connection, sources: Iterable[Watched], now: datetime) -> list[dict[str, Any]]:
    """Say for each source when something arrived last and through when its exports cover time without a doubt."""
    rows = []
    for source in sources:
        windows = [window for window in covered(connection, source) if window.start <= now]
        last, end = imports.last_arrival(connection, source.name), min(windows[-1].end, now) if windows else None
        rows.append(
            {
                "source": source.name,
                "last_import_at": None if last is None else iso(from_epoch(last)),
                "covered_through": None if end is None else iso(end - _SECOND),
                "lag_days": None if end is None else (now - end).days,
                "lag_seconds": None if end is None else to_epoch(now) - to_epoch(end),
                "silent": silent_since(connection, source, now) is not None,
            }
        )
    return rows


def worst(states: Iterable[str]) -> str:
    """Give the worst of some orders' states as a level of evidence; an order that is not issued yet counts as one."""
    return max((state if state in LEVELS else "ordered" for state in states), key=LEVELS.index)
