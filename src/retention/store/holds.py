"""Holds in the database, and the one SQL condition that every statement uses to respect them.

The condition says in SQL what ``policy/hold.py`` says in Python; a property test keeps them equal. It reads the hold
tables inside the statement that uses it, so a hold that was committed before a batch is seen by that batch.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, text, update

from retention.model import from_epoch, to_epoch
from retention.policy.hold import SELECTORS, Hold, Selector
from retention.store.tables import hold, hold_selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Select

FOREVER = 2**62

ACTIVE = "h.released_at IS NULL"

_CONDITION = """EXISTS (
  SELECT 1 FROM hold h WHERE ({which})
  AND m.received_at >= h.received_from AND m.received_at < h.received_until
  AND (h.by_message = 0 OR EXISTS (SELECT 1 FROM hold_selector s
    WHERE s.hold_id = h.id AND s.selector = 'message' AND s.value = m.pseudonym))
  AND (h.by_conversation = 0 OR EXISTS (SELECT 1 FROM hold_selector s
    WHERE s.hold_id = h.id AND s.selector = 'conversation' AND s.value = m.conversation))
  AND (h.by_contact = 0 OR EXISTS (SELECT 1 FROM hold_selector s
    WHERE s.hold_id = h.id AND s.selector = 'contact' AND s.value = m.contact))
  AND (h.by_network = 0 OR EXISTS (SELECT 1 FROM hold_selector s JOIN message_class c ON c.network = s.value
    WHERE s.hold_id = h.id AND s.selector = 'network' AND c.id = m.class_id))
  AND (h.by_channel = 0 OR EXISTS (SELECT 1 FROM hold_selector s JOIN message_class c ON c.channel_folded = s.value
    WHERE s.hold_id = h.id AND s.selector = 'channel' AND c.id = m.class_id)))"""


def covered(which: str) -> str:
    """Give the SQL condition "a hold of this sort covers the message ``m``"; ``which`` is a condition on ``h``."""
    return _CONDITION.format(which=which)


def active_or(hold_ids: Iterable[int]) -> str:
    """Give the condition for holds that are active now or were active when a plan was made."""
    numbers = ", ".join(str(int(number)) for number in sorted(hold_ids))
    return f"{ACTIVE} OR h.id IN ({numbers})" if numbers else ACTIVE


def released_since(moment: int) -> str:
    """Give the condition for holds that were released at or after an instant (epoch seconds)."""
    return f"h.released_at >= {int(moment)}"


def released_on(moment: int) -> str:
    """Give the condition for holds that were released at an instant (epoch seconds)."""
    return f"h.released_at = {int(moment)}"


def releases_since(connection: Connection, moment: int) -> list[int]:
    """Give the instants at which holds were released from an instant on (epoch seconds), each once, in order."""
    query = select(hold.c.released_at).where(hold.c.released_at >= moment).distinct().order_by(hold.c.released_at)
    return list(connection.execute(query).scalars())


def place(
    connection: Connection,
    *,
    kind: str,
    owner: str,
    reason_commitment: str,
    placed_at: datetime,
    review_on: date,
    received_from: datetime | None,
    received_until: datetime | None,
    selectors: Mapping[Selector, Iterable[str]],
    sealed: Mapping[Selector, list[str]],
) -> int:
    """Record a hold and give its number. ``sealed`` maps a selector to sealed identifiers."""
    number = int(connection.execute(text("SELECT coalesce(max(id), 0) + 1 FROM hold")).scalar_one())
    connection.execute(
        insert(hold).values(
            id=number,
            kind=kind,
            owner=owner,
            reason_commitment=reason_commitment,
            placed_at=to_epoch(placed_at),
            review_on=review_on.isoformat(),
            received_from=to_epoch(received_from) if received_from else -FOREVER,
            received_until=to_epoch(received_until) if received_until else FOREVER,
            sealed=json.dumps(sealed) if sealed else None,
            **{f"by_{selector}": int(selector in selectors) for selector in SELECTORS},
        )
    )
    add_selectors(connection, number, selectors)
    return number


def add_selectors(connection: Connection, hold_id: int, selectors: Mapping[Selector, Iterable[str]]) -> None:
    """Add values to a hold's selectors; what is there already stays."""
    known = {(row.selector, row.value) for row in connection.execute(_selectors_of(hold_id))}
    wanted = {(kind, value) for kind, values in selectors.items() for value in values} - known
    rows = [{"hold_id": hold_id, "selector": kind, "value": value} for kind, value in sorted(wanted)]
    if rows:
        connection.execute(insert(hold_selector), rows)


def release(connection: Connection, hold_id: int, released_at: datetime) -> bool:
    """Mark a hold as released and forget the identifiers it was placed with; False where none such is active."""
    changed = connection.execute(
        update(hold)
        .where(hold.c.id == hold_id, hold.c.released_at.is_(None))
        .values(released_at=to_epoch(released_at), sealed=None)
    )
    return changed.rowcount == 1


def released_at(connection: Connection, hold_id: int) -> datetime | None:
    """Give when a hold was released; None where it is active or there is none."""
    return _instant(connection.execute(select(hold.c.released_at).where(hold.c.id == hold_id)).scalar())


def forget_released(connection: Connection, before: datetime) -> None:
    """Forget the selector values of holds that were released before an instant; the holds themselves stay."""
    old = select(hold.c.id).where(hold.c.released_at < to_epoch(before))
    connection.execute(delete(hold_selector).where(hold_selector.c.hold_id.in_(old)))


def sealed_identifiers(connection: Connection) -> dict[int, dict[str, list[str]]]:
    """Give the sealed identifiers of every active hold, by hold and selector."""
    rows = connection.execute(select(hold.c.id, hold.c.sealed).where(hold.c.released_at.is_(None)))
    return {row.id: json.loads(row.sealed) for row in rows if row.sealed}


def load(connection: Connection, *, active_only: bool = False) -> list[Hold]:
    """Give the holds in the order in which they were placed."""
    query = select(hold).order_by(hold.c.id)
    if active_only:
        query = query.where(hold.c.released_at.is_(None))
    return [_hold(connection, row) for row in connection.execute(query).mappings().all()]


def active_ids(connection: Connection) -> tuple[int, ...]:
    """Give the numbers of the active holds."""
    return tuple(
        connection.execute(select(hold.c.id).where(hold.c.released_at.is_(None)).order_by(hold.c.id)).scalars()
    )


def reason_of(connection: Connection, hold_id: int) -> str:
    """Give the commitment to the reason of a hold."""
    return str(connection.execute(select(hold.c.reason_commitment).where(hold.c.id == hold_id)).scalar_one())


def _hold(connection: Connection, row: RowMapping) -> Hold:
    values: dict[Selector, set[str]] = {selector: set() for selector in SELECTORS if row[f"by_{selector}"]}
    for found in connection.execute(_selectors_of(row["id"])):
        values.setdefault(found.selector, set()).add(found.value)
    return Hold(
        hold_id=row["id"],
        kind=row["kind"],
        owner=row["owner"],
        placed_at=from_epoch(row["placed_at"]),
        review_on=date.fromisoformat(row["review_on"]),
        released_at=_instant(row["released_at"]),
        received_from=_instant(row["received_from"]),
        received_until=_instant(row["received_until"]),
        selectors={kind: frozenset(found) for kind, found in values.items()},
    )


def _selectors_of(hold_id: int) -> Select[str, str]:
    return select(hold_selector.c.selector, hold_selector.c.value).where(hold_selector.c.hold_id == hold_id)


def _instant(value: int | None) -> datetime | None:
    return None if value is None or abs(value) >= FOREVER else from_epoch(value)
