"""Exports that wait on a server: fetched once and whole, imported, and only then removed over there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work
    from tests.sftp_server import SftpUser

ROWS = [row(f"message-{n}", "2026-08-01 09:00:00") for n in range(5)]


def put(work: Work, user: SftpUser, name: str = "a.csv", rows: list[tuple[str, ...]] | None = None) -> bytes:
    path = work.office.drop(name, ROWS if rows is None else rows)
    content = path.read_bytes()
    path.unlink()
    (user.exports / name).write_bytes(content)
    return content


@pytest.fixture
def fetching(work: Work, sftp_user: SftpUser) -> Work:
    work.reopen(sftp_user.source())
    return work


def test_a_file_is_fetched_imported_and_then_removed_from_the_server(fetching: Work, sftp_user: SftpUser) -> None:
    content = put(fetching, sftp_user)
    [result] = fetching.ingest()
    assert result.progress.registered == 5
