"""A file that nobody can see into is a finding of the run, until it is gone."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from tests.integration.work import AUTUMN
from tests.kit import row

if TYPE_CHECKING:
    from tests.integration.work import Work

_FLAGS, _FLAGS_OF_DIRECTORY = 6, 8


def test_an_encrypted_archive_is_told_by_the_run_and_mended_when_it_is_gone(work: Work) -> None:
    closed = work.office.folder / "var" / "closed.zip"
    with zipfile.ZipFile(closed, "w") as archive:
        archive.writestr("a.csv", "message-0001")
    packed = bytearray(closed.read_bytes())
    for place in (_FLAGS, packed.index(b"PK\x01\x02") + _FLAGS_OF_DIRECTORY):
        packed[place] |= 1
    closed.write_bytes(packed)
    work.purge()
    assert [one.file for one in work.findings("residue-unsearched")] == [str(closed)]
    closed.unlink()
    work.purge()
    assert work.findings("residue-unsearched") == []


def test_find_in_the_register_itself_never_tells_anybody_to_remove_it(sqlite_work: Work) -> None:
    sqlite_work.take([row(name, "2026-08-01 09:00:00") for name in ("message-1", "message-10")])
    sqlite_work.hold(message="message-10")
    left = sqlite_work.office.folder / "var" / "left.csv"
    left.write_text("message-1", encoding="utf-8")
    sqlite_work.purge(AUTUMN)
    told = {one.file: one.reason.partition("; ")[2] for one in sqlite_work.findings("residue")}
    assert told.pop(str(left)) == "dispose of the file"
    [(file, advice)] = told.items()
    assert file.endswith("register.db")
    assert advice.startswith("do NOT remove this file, it is the register: an identifier with which another one begins")
