"""How the audit log stands, for all who say it: by its ends, by the last full verification, by its triggers.

Nothing here reads the log. So it is *verified* only where somebody has read all of it and nothing was found since.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retention.audit import stored
from retention.audit.soundness import Fault, find_fault
from retention.errors import LogError
from retention.model import from_epoch, iso
from retention.policy.words import say_count
from retention.store import findings, verifications
from retention.store.guards import missing_guards

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.audit.checkpoint import VerifierKey
    from retention.store.verifications import LastVerification

NOT_VERIFIED = "log-not-verified"
"""The finding of a log that did not verify when somebody looked."""

CALLED_MENDED = "resolved before it verified in full"
"""The reason of one that tells until when it was so, where a person had resolved the finding before."""


@dataclass(frozen=True, slots=True)
class LogStanding:
    """The size and root that the head says, the entries that are there, what is wrong, and what was verified when."""

    size: int
    root: bytes
    entries: int
    fault: Fault | None
    missing_triggers: int
    last: LastVerification | None

    @property
    def in_order(self) -> bool:
        """Whether nothing is known to be wrong, be it never verified in full."""
        return self.fault is None and not self.missing_triggers

    @property
    def verified(self) -> bool:
        """Whether the whole log was verified once and nothing was found wrong since."""
        return self.fault is None and self.last is not None and self.last.ok

    @property
    def triggers(self) -> str | None:
        """Say that triggers are missing, where they are."""
        if not self.missing_triggers:
            return None
        return f"{self.missing_triggers} of the triggers that keep it append-only are missing or switched off"

    def words(self) -> str:
        """Say it in one line."""
        if self.fault is not None:
            where = "" if self.fault.index is None else f" from entry {self.fault.index} on"
            return f"BROKEN{where}: {self.fault.problem}"
        head = f"NOT IN ORDER: {self.triggers}" if self.missing_triggers else "head in order"
        return f"{head}, {self._last_words()}"

    def _last_words(self) -> str:
        if self.last is None:
            return "never verified in full"
        return f"last verified in full {iso(from_epoch(self.last.at))} ({say_count(self.last.size, 'entry')})"

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        verified = self.last if self.last is not None and self.last.ok else None
        return {
            "size": self.size,
            "root": b64encode(self.root).decode("ascii"),
            "verified": self.verified,
            "in_order": self.in_order,
            "entries": self.entries,
            "problem": self.fault.problem if self.fault else None,
            "first_bad_index": self.fault.index if self.fault else None,
            "missing_triggers": self.missing_triggers,
            "verified_at": iso(from_epoch(verified.at)) if verified else None,
            "verified_entries": verified.size if verified else None,
        }


def log_standing(
    connection: Connection, origin: str, keys: list[VerifierKey], elsewhere: str | None = None
) -> LogStanding:
    """Look at the log; ``elsewhere`` is what its anchors say against it. The entries are counted and not read."""
    entries, size, root = stored.count_entries(connection), 0, b""
    fault, last = find_fault(connection, origin, keys), verifications.last(connection)
    with suppress(LogError):  # then that is the fault
        size, root, _ = stored.head(connection)
    if fault is None and entries != size:
        fault = Fault(f"the head says {size} entries, there are {entries}")
    if fault is None and elsewhere is not None:
        fault = Fault(elsewhere)
    if fault is None:
        fault = _found_before(connection, last)
    return LogStanding(size, root, entries, fault, missing_guards(connection), last)


def _found_before(connection: Connection, last: LastVerification | None) -> Fault | None:
    """Say again what was found wrong: the ends may not show it, and a person who resolves the finding mends nothing."""
    bad = last if last is not None and not last.ok else None
    if bad is None and NOT_VERIFIED not in findings.count_open(connection):
        return None
    known = [one for one in findings.load(connection, open_only=False) if one.kind == NOT_VERIFIED]
    still = [one.reason for one in known if one.resolved_at is None]
    index = bad.size if bad is not None and bad.size >= 0 else None
    if still:
        return Fault(f"when it was last looked at: {still[0]}", index)
    reason = f": {known[-1].reason}" if known else ""
    when = f" {iso(from_epoch(bad.at))}" if bad else ""
    return Fault(f"found broken{when} and not verified in full since{reason}", index)
