"""A disposal record as JSON: every fact, the counts of every day among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retention.model import from_epoch, iso
from retention.report.record_words import copies_of, steps_of, upstream_reason

if TYPE_CHECKING:
    from retention.report.record import Record
    from retention.report.record_log import Remark


def record_as_json(record: Record) -> bytes:
    """Write a record as one JSON object in UTF-8, the same bytes each time."""
    return (json.dumps(_record(record), ensure_ascii=False, indent=2) + "\n").encode()


def _record(record: Record) -> dict[str, Any]:
    run, late = record.run, record.lateness
    return {
        "document": "disposal-record",
        "version": 1,
        "drill": record.drill,
        "origin": record.origin,
        "run": _run(record),
        "software": record.software,
        "time_zone": record.time_zone,
        "plan": {
            "digest": run.plan_digest,
            "made_at": _instant(record.planned_at),
            "due": record.planned,
            "held": record.held,
            "holds": record.holds,
        },
        "schedule_digest": run.schedule_digest,
        "rules": [{**rule._asdict(), "cutoff": _instant(rule.cutoff)} for rule in record.rules],
        "received_from": record.counts[0].received_on.isoformat() if record.counts else None,
        "received_to": record.counts[-1].received_on.isoformat() if record.counts else None,
        "counts": [
            {"received_on": day.isoformat(), "network": network, "disposed": disposed}
            for day, network, disposed in record.counts
        ],
        "days_past_due": late._asdict() if late else None,
        "belts_passed": [
            {"belt": belt.belt, "entry": belt.entry, "reason": _remark(belt.reason), "by": _remark(belt.by)}
            for belt in record.belts
        ],
        "approvals": [one._asdict() for one in record.approvals],
        "evidence": {
            "register": "deleted" if record.disposed else "nothing was due",
            "upstream": record.upstream_level,
            "upstream_reason": upstream_reason(record),
            "orders": [order._asdict() for order in record.orders],
        },
        "not_yet_beyond_reach": [
            {
                "copy": one.copy,
                "until": one.until.isoformat() if one.until else None,
                "why": one.why,
                "entries": list(one.entries),
            }
            for one in copies_of(record)
        ],
        "entries": (
            {
                "first": record.entries[0],
                "last": record.entries[1],
                "disposals": record.disposed,
                "closing_batches": run.batches,
            }
            if record.entries
            else None
        ),
        "checkpoint": record.checkpoint._asdict(),
        "verify": [{"command": command, "shows": shows} for command, shows in steps_of(record)],
    }


def _run(record: Record) -> dict[str, Any]:
    run = record.run
    return {
        "id": run.id,
        "state": run.state,
        "started_at": _instant(run.started_at),
        "finished_at": _instant(run.finished_at),
        "batches": run.batches,
        "disposed": record.disposed,
        "skipped_held": run.skipped_held,
        "skipped_gone": run.skipped_gone,
        "due_after": run.due_after,
        "residue": run.residue,
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else iso(from_epoch(at))


def _remark(remark: Remark | None) -> dict[str, str | None] | None:
    return remark._asdict() if remark else None
