"""Verify an exported bundle: by the very program that every bundle hands over, so that we see what an auditor sees."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.audit.bundle_tar import open_archive
from retention.audit.handover import verify_bundle
from retention.audit.since import goes_on_from
from retention.audit.verify import Verification
from retention.errors import LogError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from retention.audit.checkpoint import VerifierKey


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """What was found, the origin that the bundle states, and the SHA-256 of its own key (DER) in hex; empty if none."""

    found: Verification
    origin: str
    fingerprint: str


def verify_exported(
    path: Path,
    keys: Sequence[VerifierKey],
    since: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
    fingerprint: str = "",
) -> VerifiedBundle:
    """Verify a bundle.

    Args:
        path: Its folder, or its tar file.
        keys: The public keys that are trusted; none means the one of the fingerprint or, without that, the bundle's
            own, which shows no more than that it is whole.
        since: Signed checkpoints that were kept elsewhere and must be what the bundle's log begins with.
        progress: Called now and then with the number of entries read since the last call.
        fingerprint: The SHA-256 of the key that is trusted (DER), 64 hex digits in lower case; empty for none.

    Returns:
        Size and root as the bundle's checkpoint says them, and every problem found (at most a hundred).

    Raises:
        UsageError: There is no such folder or file.

    """
    trusted = [verify_bundle.Key(key.name, key.public_key) for key in keys]
    notes = [note.encode() for note in since]
    try:
        with _opened(path) as bundle:
            report = verify_bundle.verify(bundle, trusted, notes, progress or _nobody, fingerprint)
    except LogError as error:
        report = verify_bundle.Report(problems=[str(error)])
    except OSError as error:
        msg = f"{path}: the bundle cannot be read ({error.strerror})"
        raise UsageError(msg) from None
    head = report.head
    found = Verification(head.size if head else 0, head.root if head else b"", report.first_bad_index, report.problems)
    if found.ok:
        found.checked = [goes_on_from(verify_bundle.parse_note(note).size) for note in notes]
    return VerifiedBundle(found, head.origin if head else "", report.key.fingerprint if report.key else "")


@contextmanager
def _opened(path: Path) -> Iterator[verify_bundle.Bundle]:
    if path.is_dir():
        yield verify_bundle.Folder(path)
    else:
        with open_archive(path) as archive:
            yield archive


def _nobody(_entries: int) -> None:
    pass
