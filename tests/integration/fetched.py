"""One ingest from an SFTP server, and everything there is to look at afterwards."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from retention.report.work import incomplete
from retention.watcher import Watcher
from tests.kit import row

if TYPE_CHECKING:
    from retention.sources.interface import SkippedFile
    from retention.store.imports import ImportResult
    from tests.integration.work import Work
    from tests.sftp_server import SftpUser

SMALL = [row(f"message-{n}", "2026-08-01 09:00:00") for n in range(5)]
LONG = [row(f"message-{n}", "2026-08-01 09:00:00", content="Hello " * 500) for n in range(100)]


class Fetched:
    """One ingest and everything that it passed over."""

    def __init__(self, work: Work) -> None:
        self.skipped: list[tuple[str, SkippedFile]] = []
        watcher = Watcher(skip=lambda *found: self.skipped.append(found))
        self.imports: list[ImportResult] = work.ingest(watcher=watcher)
        self.whole = not incomplete(self.imports, self.skipped)

    @property
    def registered(self) -> int:
        return sum(one.progress.registered for one in self.imports)

    @property
    def reasons(self) -> str:
        return "\n".join(file.reason for _, file in self.skipped)


def put(work: Work, user: SftpUser, name: str = "a.csv", rows: list[tuple[str, ...]] | None = None) -> bytes:
    path = work.office.drop("made.csv", SMALL if rows is None else rows)
    content = path.read_bytes()
    path.unlink()
    (user.exports / name).write_bytes(content)
    return content


def over_there(user: SftpUser) -> list[str]:
    return sorted(path.name for path in user.exports.iterdir())


def states(work: Work) -> list[tuple[str, str]]:
    return [(name, state) for name, state in work.ask("SELECT name, state FROM remote_file ORDER BY id")]


def disposals(work: Work) -> list[tuple[str, str]]:
    return [(one["place"], one["file_digest"]) for one in work.entries("file_disposed")]


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
