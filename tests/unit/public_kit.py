"""Pages for the public to look at: made of plain facts, one for each state and one with everything at once."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.audit.checkpoint import Checkpoint, Signer, sign
from retention.model import Period
from retention.notice.promise import Promise, promise_of
from retention.policy.schedule import Rule, Schedule
from retention.report.public import PublicFacts
from retention.settings import NoticeSettings

ORIGIN = "retention/5c1f0a9b3d7e2468"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = sign(Checkpoint(ORIGIN, 48_213, bytes(range(100, 132))), SIGNER)
NOTICE = NoticeSettings(organisation="Office for Example Statistics", provider="Hootsuite")
REFERENCE = (
    "If you send us a private or direct message via social media, the message will be stored by Hootsuite for three "
    "months. It will not be shared with any other organisations."
)
SCHEDULE = Schedule(
    "Europe/London", (Rule("direct-messages", {"visibility": ("private",)}, Period.parse("P3M"), "Privacy notice"),)
)


def promise() -> Promise:
    """Make the promise of the reference case."""
    return promise_of(SCHEDULE, NOTICE)


_KEPT = PublicFacts(
    state="kept",
    now=datetime(2026, 11, 22, 6, 4, tzinfo=ZoneInfo("Europe/London")),
    drill=False,
    troubles=(),
    unchecked=False,
    since="made",
    since_on=date(2026, 2, 3),
    broken_on=None,
    broken_by=(),
    registered=1830,
    oldest_received_on=date(2026, 8, 22),
    due=0,
    held=0,
    last_run_on=date(2026, 11, 22),
    last_disposed=14,
    next_due_on=date(2026, 11, 23),
    note=NOTE,
)

FACTS = {
    "kept": _KEPT,
    "at-risk": _KEPT._replace(
        state="at_risk",
        troubles=("source", "notice", "arrival"),
        since="mended",
        since_on=date(2026, 9, 30),
        broken_on=date(2026, 9, 28),
        broken_by=("overdue", "source"),
        held=3,
        last_disposed=0,
    ),
    "broken": _KEPT._replace(
        state="broken",
        drill=True,
        troubles=("overdue", "log"),
        since="broken",
        since_on=date(2026, 11, 18),
        due=212,
        held=1,
        last_run_on=date(2026, 11, 16),
        last_disposed=1,
    ),
}
"""Facts by the name of their golden file."""
