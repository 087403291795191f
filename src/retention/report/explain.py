"""What happens, or happened, to one message: the rule, the working, the holds, the entry."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from retention.audit.log import disposed_pseudonym, find_disposals
from retention.model import from_epoch, iso
from retention.policy.days import local_day
from retention.policy.decide import decide
from retention.policy.hold import Candidate
from retention.report.backups import known, say_copies
from retention.store import holds, inbox, month_keys, order_items, orders, register, runs, upstream_calls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.policy.schedule import Schedule
    from retention.store.register import Registered


_UNKNOWN = "unknown", "whether its copy is still there is not known"


@dataclass(slots=True)
class Explanation:
    """One message's state. ``working`` has one line a step; the identifier itself is not repeated."""

    state: Literal["registered", "disposed", "unknown"]
    rule: str | None = None
    received_at: str | None = None
    expires_on: str | None = None
    due_at: str | None = None
    holds: list[int] = field(default_factory=list)
    upstream: str = "unknown"
    entry_index: int | None = None
    working: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the explanation as plain values for JSON."""
        return asdict(self)


def explain(
    connection: Connection, schedule: Schedule, message_id: str, pseudonyms: Mapping[str, str], now: datetime
) -> Explanation:
    """Look a message up by the source's identifier, in the register and then by its pseudonyms in the log.

    ``pseudonyms`` are those that it may have, each with the source whose message that would be.
    """
    sources = register.source_numbers(connection)
    keys = [register.message_key(number, message_id) for number in sources]
    if keys and (row := register.find(connection, keys)) is not None:
        return _registered(connection, schedule, row, now)
    waits = _waits(connection, message_id)
    for index, body in find_disposals(connection, set(pseudonyms)):
        source = pseudonyms[disposed_pseudonym(body)]
        found = _disposed(connection, index, json.loads(body), source, message_id)
        found.working += [*_copies(connection, schedule, json.loads(body), now), *waits]
        return found
    return Explanation(
        "unknown",
        working=[
            "no registered message has this identifier",
            f"no disposal has one of the {len(pseudonyms)} pseudonyms it has under the month keys that still exist",
            *waits,
            *_beyond_reach(connection),
        ],
    )


def _waits(connection: Connection, message_id: str) -> list[str]:
    if not inbox.count_waiting(connection) or not inbox.waiting_anywhere(connection, [message_id]):
        return []
    return ["an event of a webhook tells of a message with this identifier, and waits to be registered"]


def _beyond_reach(connection: Connection) -> list[str]:
    gone = [found.month for found in month_keys.load(connection) if found.condemned_at is not None]
    if not gone:
        return []
    months = gone[0] if len(gone) == 1 else f"{len(gone)} months from {gone[0]} to {gone[-1]}"
    return [
        f"the key of {months} was destroyed on schedule",
        "a message received then that was disposed of can no longer be matched with its entry in the audit log",
    ]


def _registered(connection: Connection, schedule: Schedule, row: Registered, now: datetime) -> Explanation:
    message_class = register.classes(connection)[row.class_id]
    received_at = from_epoch(row.received_at)
    candidate = Candidate(
        received_at, row.pseudonym, row.conversation, row.contact, message_class.network, message_class.channel
    )
    decision = decide(schedule, holds.load(connection, active_only=True), message_class, candidate, now)
    return Explanation(
        "registered",
        rule=decision.rule.name if decision.rule else None,
        received_at=iso(received_at),
        expires_on=decision.expires_on.isoformat() if decision.expires_on else None,
        due_at=iso(decision.due_at) if decision.due_at else None,
        holds=list(decision.holds),
        working=[*decision.reasons, f"last seen in an import at {iso(from_epoch(row.last_seen_at))}"],
    )


def _disposed(
    connection: Connection, index: int, disposal: dict[str, Any], source: str, message_id: str
) -> Explanation:
    run_id = runs.run_of(connection, int(disposal["batch"]))
    level, said = _upstream(connection, run_id, source, message_id)
    return Explanation(
        "disposed",
        upstream=level,
        entry_index=index,
        working=[
            f"received on {disposal['received_on']} ({disposal['network']})",
            f"disposed of in batch {disposal['batch']}, entry {index} of the audit log",
            "the register holds nothing of it any more",
            f"at the source: {said}",
        ],
    )


def _copies(connection: Connection, schedule: Schedule, disposal: dict[str, Any], now: datetime) -> list[str]:
    """Say until when a backup may hold it, by what is known of backups now."""
    run_id = runs.run_of(connection, int(disposal["batch"]))
    if run_id is None:
        return []
    run = runs.get(connection, run_id)
    ended = from_epoch(run.started_at if run.finished_at is None else run.finished_at)
    on = local_day(ended, schedule.zone)
    return say_copies(known(connection), on, schedule.zone, schedule.today(now))


def _upstream(connection: Connection, run_id: int | None, source: str, message_id: str) -> tuple[str, str]:
    """Give the level of evidence of one disposed message, and a sentence."""
    numbers = [number for number, name in register.numbered_sources(connection).items() if name == source]
    for order_id, present in order_items.orders_of(connection, numbers, message_id):
        if (order := orders.find(connection, order_id)) is None:
            continue
        if present:
            return "present", f"a later export shows that {order.source} still holds it (order {order_id})"
        if order.state == "attested":
            return "attested", f"people attested that order {order_id} was carried out; no later export shows it yet"
        return "ordered", f"order {order_id} tells people to delete it by {order.due_on or 'a day that is not set yet'}"
    if run_id is None:
        return _UNKNOWN
    issued = [order for order in orders.of_run(connection, run_id) if order.source == source]
    if issued and not any(order.unknown for order in issued):
        told = ", ".join(str(order.id) for order in issued)
        return "absent", f"a later export of its day shows that it is gone (order {told})"
    return _called(connection, run_id, source, message_id) or _UNKNOWN


def _called(connection: Connection, run_id: int, source: str, message_id: str) -> tuple[str, str] | None:
    """Say what became of the call that was to delete a message, if there was to be one."""
    tally = next((one for one in upstream_calls.tallies(connection, run_id) if one.source == source), None)
    if tally is None:
        return None
    if upstream_calls.listed_anywhere(connection, [message_id]):
        return "unknown", f"the call that deletes it at {source} has not succeeded yet; the next purge makes it again"
    if tally.given_up:
        return (
            "unknown",
            f"{source} refused for good to delete {tally.given_up} of the {tally.listed} messages of this run",
        )
    return "deleted", f"{source} has deleted it by a call, or did not have it any more"
