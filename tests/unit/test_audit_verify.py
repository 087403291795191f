"""Verification tells what it found in a form that a person and a program can use. The attacks are tested elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.audit.merkle import EMPTY_ROOT
from retention.audit.verify import Verification, verify
from tests.integration_audit.trail import ORIGIN, Trail, batch, heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    """Give a log with its first entry, signed."""
    trail = Trail.found(f"sqlite:///{tmp_path / 'trail.db'}")
    yield trail
    trail.database.close()


def test_verification_without_problems_is_good() -> None:
    assert Verification().ok


def test_verification_keeps_the_earliest_index() -> None:
    found = Verification()
    for index in (7, None, 3, 5):
        found.add("a problem", index)
    assert (found.ok, found.first_bad_index, len(found.problems)) == (False, 3, 4)


def test_verification_tells_a_hundred_problems_and_still_finds_the_earliest_index() -> None:
    found = Verification()
    for index in range(500, 0, -1):
        found.add("a problem", index)
    assert (len(found.problems), found.first_bad_index) == (100, 1)


def test_log_of_one_entry_verifies(trail: Trail) -> None:
    found = trail.verify()
    assert (found.ok, found.size) == (True, 1)


def test_entries_after_the_last_checkpoint_are_verified_by_the_head(trail: Trail) -> None:
    trail.append(*[heartbeat(n) for n in range(300)])
    assert trail.verify().problems == []


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 513, 2559, 2560, 2561])
def test_log_verifies_at_every_edge_of_tiles_and_pages(trail: Trail, size: int) -> None:
    trail.purge(1, size - 2)
    found = trail.verify()
    assert (found.problems, found.size) == ([], size)


def test_empty_log_that_was_never_signed_does_not_verify(trail: Trail) -> None:
    with trail.database.write() as connection:
        for table in ("audit_entry", "audit_checkpoint", "audit_head"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608  # the three above
        trail.log.create(connection)
    found = trail.verify()
    assert (found.problems, found.size, found.root) == (["the log has no signed checkpoint"], 0, EMPTY_ROOT)


def test_progress_adds_up_to_the_size(trail: Trail) -> None:
    trail.purge(1, 5_998)
    told: list[int] = []
    with trail.database.read() as connection:
        verify(connection, ORIGIN, [trail.signer.verifier], told.append)
    assert told == [2560, 2560, 880]


def test_batch_that_was_appended_wrong_shows_although_every_hash_fits(trail: Trail) -> None:
    trail.append(*batch(1, 1, 5, due_before="2026-08-18"))
    found = trail.verify()
    assert found.problems == ["entry 3 was not due under the cutoff of its batch"]
    assert found.first_bad_index == 3


def test_batch_that_was_appended_wrong_shows_beside_an_edit_further_on(trail: Trail) -> None:
    trail.append(*batch(1, 1, 5, due_before="2026-08-18"), *batch(2, 7, 5))
    with trail.database.write() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET body = 'nothing' WHERE seq = 9")
    found = trail.verify()
    assert found.first_bad_index == 3
    assert found.problems[0] == "entry 9 does not have the hash that was kept of it"
    assert found.problems[-1] == "entry 3 was not due under the cutoff of its batch"


def test_what_an_edit_makes_of_a_batch_is_not_held_against_the_batch(trail: Trail) -> None:
    trail.append(*batch(1, 1, 5))
    with trail.database.write() as connection:
        connection.exec_driver_sql("""UPDATE audit_entry SET body = replace(body, '08-22', '08-01') WHERE seq = 6""")
    found = trail.verify()
    assert found.first_bad_index == 6
    assert found.problems == [
        "entry 6 does not have the hash that was kept of it",
        "the head's root is not the root of the entries",
    ]
