"""Disposal records to test with: made of plain facts, so that their pages can be looked at without a register."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.audit.checkpoint import Checkpoint, Signer, sign, vkey
from retention.audit.signing import fingerprint
from retention.model import to_epoch
from retention.report.record import HeadFacts, Record, RuleFacts
from retention.report.record_counts import DayCount, Lateness
from retention.report.record_log import BeltFacts, Remark
from retention.store.runs import Run

ORIGIN = "retention/5c1f0a9b3d7e2468"
STARTED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
NETWORKS = (
    "facebook",
    "instagram",
    "twitter",
    "linkedin",
    "whatsapp",
    "threads",
    "youtube",
    "tiktok",
    *(f"network-{number}" for number in range(9, 13)),
)
DIGEST = "sha256:" + "0f1e2d3c4b5a6978" * 4
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = sign(Checkpoint(ORIGIN, 48_213, bytes(range(100, 132))), SIGNER)
RULE = RuleFacts(
    "direct-messages",
    "P3M",
    "Privacy notice: people who contact us via social media",
    to_epoch(datetime(2026, 8, 22, 23, 0, tzinfo=UTC)),
    disposed=0,
    held=14,
    released=0,
)
BELTS = tuple(
    BeltFacts(
        belt,
        47_000 + number,
        Remark("sha256:" + "ab" * 32, "The backlog of the spring was ingested late; plan read and agreed."),
        None,
    )
    for number, belt in enumerate(("share", "count"))
)


def counts(days: int, networks: int = 6, last: date = date(2026, 8, 22)) -> tuple[DayCount, ...]:
    """Make counts of days that end with the last, with empty days in between."""
    made = []
    for back in range(days - 1, -1, -1):
        day = last - timedelta(days=back)
        for number, network in enumerate(NETWORKS[:networks]):
            if number <= (back * 7 + 3) % 11:
                made.append(DayCount(day, network, 3 + (back * 5 + number * 11) % (40 // (number + 1))))
    return tuple(made)


def record(days: int = 7, networks: int = 6, **changes: Any) -> Record:  # noqa: ANN401  # any field of a record
    """Make a record of a run that came to its end."""
    found = counts(days, networks)
    total = sum(count.disposed for count in found)
    run = Run(
        41,
        "done",
        DIGEST,
        "sha256:" + "1a2b3c4d5e6f7081" * 4,
        to_epoch(STARTED),
        to_epoch(STARTED),
        disposed=total,
        batches=1,
        skipped_held=0,
        skipped_gone=0,
        due_after=0,
        residue=0,
        checkpoint_size=48_213,
    )
    made = Record(
        origin=ORIGIN,
        drill=False,
        database="sqlite",
        time_zone="Europe/London",
        run=run,
        planned_at=to_epoch(STARTED),
        planned=total,
        holds=2,
        software="retention 0.1.0",
        rules=(RULE._replace(disposed=total),),
        counts=found,
        lateness=Lateness(0, 3.0, days - 1, total) if found else None,
        entries=(47_010, 47_010 + total) if found else None,
        belts=(),
        checkpoint=HeadFacts(48_213, NOTE.splitlines()[2], NOTE, vkey(SIGNER.verifier), fingerprint(SIGNER.verifier)),
    )
    return replace(made, **changes)
