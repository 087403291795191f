"""Proofs that are made convince those who check them, here and elsewhere, and cost a few tiles whatever the size."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit.checkpoint import Checkpoint, open_note, sign
from retention.audit.log import checkpoints
from retention.audit.merkle import EMPTY_ROOT, TILE_BYTES, Frontier, leaf_hashes
from retention.audit.proof import verify_consistency, verify_inclusion
from retention.audit.prove import Prover
from retention.audit.since import compare_since
from retention.audit.tlog_proof import TlogProof, parse_proof, verify_proof, write_proof
from retention.errors import LogError
from tests.bundle_kit import ORIGIN, Log, heartbeat, signer
from tests.depth import tries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 66_000
BODIES = [n.to_bytes(4, "big") for n in range(MOST)]
LEAVES = leaf_hashes(BODIES)
SIZES = st.one_of(st.integers(1, 600), st.sampled_from([65_535, 65_536, 65_537, 65_792, 65_793, MOST]))


class Memory:
    """Tiles of a tree in memory, and how many were asked for."""

    def __init__(self) -> None:
        """Grow the tree."""
        self.asked = 0
        self._edge = Frontier()
        self._full = {(tile.level, tile.n): tile.data for tile in self._edge.append(LEAVES)}

    def tile(self, level: int, n: int, width: int) -> bytes:
        """Give a tile."""
        self.asked += 1
        data = self._full.get((level, n)) or self._edge.partial_tile(level)
        assert len(data) >= 32 * width
        assert len(data) <= TILE_BYTES
        return data[: 32 * width]


MEMORY = Memory()


@cache
def root_of(size: int) -> bytes:
    frontier = Frontier()
    frontier.append(LEAVES[:size])
    return frontier.root()


@settings(max_examples=tries(50))
@given(size=SIZES, data=st.data())
def test_every_proof_that_is_made_is_accepted_here_and_elsewhere(size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    prover, root, older = Prover(MEMORY, size), root_of(size), root_of(first)
    assert prover.root() == root
    assert prover.root(first) == older
    inclusion, consistency = prover.inclusion(index), prover.consistency(first)
    verify_inclusion(LEAVES[index], index, inclusion, size, root)
    assert aics_tlog.verify_inclusion(LEAVES[index], index, size, inclusion, root)
    verify_consistency(first, older, consistency, size, root)
    assert aics_tlog.verify_consistency(first, size, older, root, consistency)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 255, 256, 257])
def test_every_entry_of_a_small_tree_has_a_proof_and_every_older_size_too(size: int) -> None:
    prover, root = Prover(MEMORY, size), root_of(size)
    for index in range(size):
        verify_inclusion(LEAVES[index], index, prover.inclusion(index), size, root)
        verify_consistency(index, prover.root(index), prover.consistency(index), size, root)


def test_a_proof_asks_for_few_tiles_however_large_the_tree() -> None:
    prover = Prover(MEMORY, MOST)
    MEMORY.asked = 0
    prover.inclusion(12_345)
    assert MEMORY.asked <= 2 * 3
    MEMORY.asked = 0
    prover.inclusion(12_345)
    assert MEMORY.asked == 0


def test_the_empty_tree_has_its_root_and_nothing_to_prove() -> None:
    prover = Prover(MEMORY, 0)
    assert prover.root() == EMPTY_ROOT
    assert prover.consistency(0) == []


@pytest.mark.parametrize("index", [-1, 7])
def test_an_index_outside_of_the_tree_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="no entry with this index"):
        Prover(MEMORY, 7).inclusion(index)


@pytest.mark.parametrize("first", [-1, 8])
def test_a_tree_cannot_be_consistent_with_a_larger_one(first: int) -> None:
    with pytest.raises(ValueError, match="one that is larger"):
        Prover(MEMORY, 7).consistency(first)


def proof_of(index: int, size: int = 300) -> TlogProof:
    note = sign(Checkpoint(ORIGIN, size, root_of(size)), signer())
    return TlogProof(index, tuple(Prover(MEMORY, size).inclusion(index)), note)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_a_proof_that_is_written_is_read_back_and_verifies(index: int) -> None:
    proof = proof_of(index)
    assert parse_proof(write_proof(proof)) == proof
    assert verify_proof(proof, BODIES[index], [signer().verifier]).size == 300


def test_a_proof_of_the_only_entry_has_no_hashes() -> None:
    text = write_proof(proof_of(0, 1))
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\n")
    assert parse_proof(text).path == ()


def test_extra_data_is_passed_over() -> None:
    text = write_proof(proof_of(3))
    assert parse_proof(text.replace("index", "extra YWI=\nindex", 1)) == proof_of(3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 3", "index 03"),
        ("index 3", "Index 3"),
        ("index 3\n", "index 3\r\n"),
        ("index 3\n", "index 3\n\n"),
        ("index 3\n", "index 3\nsize 300\n"),
        ("index 3\n", "index 3\nQUJD\n"),
        ("index 3\n", "index 3\nQUJ=\n"),
        ("index 3\n", "index 3\n" + 64 * "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=\n"),
        ("=\n", "\n"),
    ],
)
def test_a_proof_of_another_form_is_refused(old: str, new: str) -> None:
    with pytest.raises(LogError):
        verify_proof(parse_proof(write_proof(proof_of(3)).replace(old, new, 1)), BODIES[3], [signer().verifier])


def test_another_entry_index_or_key_is_refused() -> None:
    proof, key = proof_of(3), signer().verifier
    with pytest.raises(LogError, match="does not lead to the root"):
        verify_proof(proof, BODIES[4], [key])
    with pytest.raises(LogError):
        verify_proof(TlogProof(4, proof.path, proof.note), BODIES[3], [key])
    with pytest.raises(LogError, match="no signature of a known key"):
        verify_proof(proof, BODIES[3], [signer(2).verifier])
    with pytest.raises(LogError, match="no such index"):
        verify_proof(TlogProof(300, proof.path, proof.note), BODIES[3], [key])


@given(st.data())
def test_no_byte_of_a_proof_can_be_changed_unseen(data: st.DataObject) -> None:
    whole = write_proof(proof_of(77)).encode()
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    spoilt = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
    with pytest.raises((LogError, UnicodeDecodeError)):
        verify_proof(parse_proof(spoilt.decode()), BODIES[77], [signer().verifier])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.found(tmp_path / "log.db").purge(99, 99, 99, 99)
    yield log
    log.database.close()


def compared(log: Log, *kept: Checkpoint) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    with log.database.read() as connection:
        head = Checkpoint(ORIGIN, *log.log.head(connection))
        compare_since(connection, head, kept, lambda problem, index: found.append((problem, index)))
    return found


def kept_by_an_auditor(log: Log) -> list[Checkpoint]:
    with log.database.read() as connection:
        return [open_note(kept.note, [log.signer.verifier]) for kept in checkpoints(connection)]


def test_a_log_that_only_grew_goes_on_from_every_checkpoint_that_was_kept(log: Log) -> None:
    kept = kept_by_an_auditor(log)
    assert [one.size for one in kept] == [1, 101, 201, 301, 401]
    assert compared(log.purge(10), *reversed(kept)) == []


def test_a_history_rewritten_with_the_key_is_caught_by_what_was_kept(log: Log) -> None:
    kept = kept_by_an_auditor(log)
    log.sql("UPDATE audit_entry SET body = :body WHERE seq = 220", body=heartbeat(7).decode())
    log.rebuild(sign_again=True)
    [(problem, index)] = compared(log, *kept)
    assert index == 201
    assert "signed at size 301: among its entries from 201 on, some were changed" in problem
    [(_, alone)] = compared(log, kept[-1])
    assert alone == 0


def test_a_log_cut_back_to_an_old_checkpoint_is_caught_by_what_was_kept(log: Log) -> None:
    kept = kept_by_an_auditor(log)
    log.sql("DELETE FROM audit_checkpoint WHERE size > 301")
    log.sql("DELETE FROM audit_entry WHERE seq >= 301")
    log.rebuild()
    [(problem, index)] = compared(log, *kept)
    assert index == 301
    assert "signed at size 401, but the log has only 301 entries: it was cut back" in problem
