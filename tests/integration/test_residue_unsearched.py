"""A file that nobody can see into is a finding of the run, until it is gone."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

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
