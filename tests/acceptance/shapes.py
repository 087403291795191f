"""The JSON shapes that scripts depend on: keys may be added, none renamed, and each keeps its type."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

Shape: TypeAlias = Any
"""A type, a pattern of a text, None, a set of texts, a list of one shape, a dict of shapes by key, ``Or``, ``Each``."""


class Or(tuple[Shape, ...]):
    """Any one of several shapes."""

    __slots__ = ()


class Each:
    """An object with any keys, whose values are all of one shape."""

    def __init__(self, shape: Shape) -> None:
        """Take the shape of the values."""
        self.shape = shape


INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ROOT = re.compile(r"[A-Za-z0-9+/]{43}=")

IMPORT = {
    "source": str,
    "name": str,
    "file_digest": DIGEST,
    "window_from": Or((INSTANT, None)),
    "window_to": Or((INSTANT, None)),
    **dict.fromkeys(("rows", "registered", "duplicates", "not_covered", "born_expired", "rejected"), int),
}
IMPORTS = {"imports": [IMPORT]}
PLAN = {
    "digest": DIGEST,
    "now": INSTANT,
    "schedule_digest": DIGEST,
    "total": int,
    "due": int,
    "held": int,
    "rules": [{"rule": str, "cutoff": INSTANT, "due": int, "held": int}],
}
RUN = dict.fromkeys(
    ("id", "disposed", "skipped_held", "skipped_gone", "batches", "due_after", "residue", "checkpoint_size"), int
)
CALLS = {"source": str, "deleted": int, "waiting": int, "given_up": int}
DRY_RUN = {"plan": PLAN, "run": None}
DOCTOR = {
    "in_order": bool,
    "fixes": int,
    "notes": int,
    "said": [str],
    "lines": [
        {
            "group": str,
            "subject": str,
            "state": {"ok", "fix", "note"},
            "detail": str,
            "command": Or((str, None)),
        }
    ],
}
PURGE = {"plan": PLAN, "run": {**RUN, "calls": [CALLS]}}
STATUS = {
    "promise": {"kept", "at_risk", "broken"},
    "reasons": [str],
    "now": INSTANT,
    "registered": int,
    "due": int,
    "overdue": int,
    "oldest_overdue_days": int,
    "oldest_overdue_seconds": int,
    "held": int,
    "oldest_received_on": Or((DAY, None)),
    "next_due_on": Or((DAY, None)),
    "next_due_at": Or((INSTANT, None)),
    "breaks_at": Or((INSTANT, None)),
    "coming": [{"on": DAY, "due": int}],
    "last_complete_run_at": Or((INSTANT, None)),
    "last_run": Or(({**RUN, "state": str, "started_at": INSTANT, "finished_at": INSTANT}, None)),
    "upstream": {"ordered": int, "overdue": int, "present": int},
    "upstream_calls": [CALLS],
    "findings": {"open": int, "by_kind": Each(int)},
    "log": {"size": int, "root": ROOT, "verified": bool},
    "inbox": {
        "waiting": int,
        "since": Or((INSTANT, None)),
        "refused": [{"source": str, "outcome": str, "calls": int, "last_at": INSTANT}],
    },
    "jobs": [{"job": str, "outcome": str, "ended_at": Or((INSTANT, None)), "failures": int, "stuck": Or((str, None))}],
    "plans": {
        "approvals": int,
        "approved": Or((DIGEST, None)),
        "waiting": Or((DIGEST, None)),
        "people": int,
        "unapproved": int,
    },
    "sources": [{"source": str, "covered_through": Or((INSTANT, None)), "lag_days": Or((int, None)), "silent": bool}],
}
EXPLANATION = {
    "state": {"registered", "disposed", "unknown"},
    "rule": Or((str, None)),
    "received_at": Or((INSTANT, None)),
    "expires_on": Or((DAY, None)),
    "due_at": Or((INSTANT, None)),
    "holds": [int],
    "upstream": str,
    "entry_index": Or((int, None)),
    "working": [str],
}
VERIFICATION = {
    "ok": bool,
    "size": int,
    "root": ROOT,
    "first_bad_index": Or((int, None)),
    "problems": [str],
    "checked": [str],
}
CYCLE = {**IMPORTS, **PURGE, "verification": VERIFICATION}
HOLDS = {"holds": [{"hold": int, "kind": str, "owner": str, "placed_at": INSTANT, "review_on": DAY}]}
FINDINGS = {"findings": [{"id": int, "kind": str, "opened_at": INSTANT, "source": str, "file": str, "reason": str}]}
TOLD = {"channels": [{"channel": str, "outcome": str, "occasions": [str], "reason": Or((str, None))}]}
RESIDUE = {"residue": int, "excepted": int, "files": Each(int), "unsearched": Each(int)}
ORDER = {
    "order": int,
    "source": str,
    "run": int,
    "state": {"listing", "ordered", "attested", "absent", "present", "unknown"},
    "issued_at": Or((INSTANT, None)),
    "due_on": Or((DAY, None)),
    **dict.fromkeys(("listed", "left", "absent", "present", "unknown"), int),
    "list_digest": Or((DIGEST, None)),
}
ORDERS = {"orders": [ORDER]}
SHOWN_ORDER = {**ORDER, "attestations": [{"at": INSTANT}], "days": [{"received_on": DAY, "messages": int}]}


def misfits(value: object, shape: Shape, where: str = "$") -> list[str]:
    """Name every place at which a value is not of a shape."""
    if isinstance(shape, Or):
        found = [misfits(value, one, where) for one in shape]
        return [] if [] in found else max(found, key=len)
    if isinstance(shape, Each):
        return _inside(value, dict.fromkeys(value, shape.shape) if isinstance(value, dict) else {}, where)
    if isinstance(shape, dict):
        return _inside(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is not a list"]
        return [bad for place, one in enumerate(value) for bad in misfits(one, shape[0], f"{where}[{place}]")]
    return [] if _is(value, shape) else [f"{where} is not {shape}"]


def _inside(value: object, shape: dict[str, Shape], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is not an object"]
    absent = [f"{where}.{key} is missing" for key in shape if key not in value]
    wrong = [bad for key, one in shape.items() if key in value for bad in misfits(value[key], one, f"{where}.{key}")]
    return absent + wrong


def _is(value: object, shape: Shape) -> bool:
    if shape is None:
        return value is None
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, set):
        return isinstance(value, str) and value in shape
    # In Python's eyes True is a kind of 1; in JSON's it is not.
    return type(value) is shape
