"""A proof convinces only of what is true: right ones pass, and anything changed in them fails."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash, leaf_hashes, node_hash
from retention.audit.proof import verify_consistency, verify_inclusion
from retention.errors import LogError

MOST = 130
LEAVES = leaf_hashes(n.to_bytes(2, "big") for n in range(MOST))
OTHER_HASHES = st.binary(min_size=32, max_size=32)
INDEXES_AND_SIZES = st.integers(1, MOST).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


def root_of(leaves: list[bytes]) -> bytes:
    frontier = Frontier()
    frontier.append(leaves)
    return frontier.root()


def split_of(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """Say the inclusion path in the words of RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*inclusion(index, leaves[:split]), root_of(leaves[split:])]
    return [*inclusion(index - split, leaves[split:]), root_of(leaves[:split])]


def consistency(first: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """Say the consistency path in the words of RFC 9162 section 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = split_of(len(leaves))
    if first <= split:
        return [*consistency(first, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*consistency(first - split, leaves[split:], whole=False), root_of(leaves[:split])]


@pytest.mark.parametrize("size", range(1, 66))
def test_every_leaf_of_every_small_tree_has_a_proof(size: int) -> None:
    leaves = LEAVES[:size]
    for index in range(size):
        verify_inclusion(leaves[index], index, inclusion(index, leaves), size, root_of(leaves))


@pytest.mark.parametrize("second", range(1, 66))
def test_every_small_tree_is_consistent_with_all_that_it_was(second: int) -> None:
    for first in range(second + 1):
        path = consistency(first, LEAVES[:second]) if first else []
        verify_consistency(first, root_of(LEAVES[:first]), path, second, root_of(LEAVES[:second]))


@given(INDEXES_AND_SIZES, st.data())
def test_inclusion_proof_with_one_thing_changed_fails(where: tuple[int, int], data: st.DataObject) -> None:
    index, size = where
    leaves = LEAVES[:size]
    proof, root = inclusion(index, leaves), root_of(leaves)
    other = data.draw(OTHER_HASHES.filter(lambda one: one not in {leaves[index], root, *proof}))
    verify_inclusion(leaves[index], index, proof, size, root)
    changed = [
        (other, index, proof, size, root),
        (leaves[index], index, proof, size, other),
        (leaves[index], index, [*proof, other], size, root),
        (leaves[index], size, proof, size, root),
        (leaves[index], -1, proof, size, root),
    ]
    changed += [(leaves[index], n, proof, size, root) for n in range(size) if n != index]
    changed += [(leaves[index], index, proof[:n] + proof[n + 1 :], size, root) for n in range(len(proof))]
    changed += [(leaves[index], index, [*proof[:n], other, *proof[n + 1 :]], size, root) for n in range(len(proof))]
    for arguments in changed:
        with pytest.raises(LogError, match="the inclusion proof fails"):
            verify_inclusion(*arguments)


@given(st.integers(1, MOST), st.integers(1, MOST), st.data())
def test_consistency_proof_with_one_thing_changed_fails(one: int, another: int, data: st.DataObject) -> None:
    first, second = sorted((one, another))
    older, newer = root_of(LEAVES[:first]), root_of(LEAVES[:second])
    proof = consistency(first, LEAVES[:second])
    other = data.draw(OTHER_HASHES.filter(lambda one: one not in {older, newer, *proof}))
    verify_consistency(first, older, proof, second, newer)
    changed = [
        (first, other, proof, second, newer),
        (first, older, proof, second, other),
        (first, older, [*proof, other], second, newer),
        (second + 1, older, proof, second, newer),
        (-1, older, proof, second, newer),
    ]
    changed += [(first, older, proof[:n] + proof[n + 1 :], second, newer) for n in range(len(proof))]
    changed += [(first, older, [*proof[:n], other, *proof[n + 1 :]], second, newer) for n in range(len(proof))]
    for arguments in changed:
        with pytest.raises(LogError, match="the consistency proof fails"):
            verify_consistency(*arguments)


def test_node_is_not_accepted_as_a_leaf_of_a_smaller_tree() -> None:
    entries = [b"a", b"b", b"c", b"d"]
    leaves = leaf_hashes(entries)
    root = root_of(leaves)
    left, right = node_hash(*leaves[:2]), node_hash(*leaves[2:])
    forged = leaves[0] + leaves[1]
    verify_inclusion(left, 0, [right], 2, root)  # why the size must come from a checkpoint
    with pytest.raises(LogError, match="too short"):
        verify_inclusion(left, 0, [right], 4, root)
    with pytest.raises(LogError, match="does not lead to the root"):
        verify_inclusion(leaf_hash(forged), 0, [right], 2, root)


def test_rewritten_history_has_no_consistency_proof() -> None:
    old, new = LEAVES[:4], [hashlib.sha256(b"forged").digest(), *LEAVES[1:9]]
    with pytest.raises(LogError, match="both roots"):
        verify_consistency(4, root_of(old), consistency(4, new), 9, root_of(new))


def test_two_trees_of_one_size_are_a_fork() -> None:
    with pytest.raises(LogError, match="two different trees of the same size"):
        verify_consistency(3, root_of(LEAVES[:3]), [], 3, root_of(LEAVES[1:4]))


def test_tree_that_shrank_is_refused() -> None:
    with pytest.raises(LogError, match="smaller"):
        verify_consistency(4, root_of(LEAVES[:4]), [], 3, root_of(LEAVES[:3]))


def test_empty_tree_must_have_the_empty_root_and_no_proof() -> None:
    verify_consistency(0, EMPTY_ROOT, [], 3, root_of(LEAVES[:3]))
    verify_consistency(0, EMPTY_ROOT, [], 0, EMPTY_ROOT)
    with pytest.raises(LogError, match="empty tree"):
        verify_consistency(0, LEAVES[0], [], 3, root_of(LEAVES[:3]))
    with pytest.raises(LogError, match="must be empty"):
        verify_consistency(0, EMPTY_ROOT, [LEAVES[0]], 3, root_of(LEAVES[:3]))


def test_proof_that_is_missing_is_refused() -> None:
    with pytest.raises(LogError, match="it is empty"):
        verify_consistency(2, root_of(LEAVES[:2]), [], 3, root_of(LEAVES[:3]))


@pytest.mark.parametrize("index", [-1, 2])
def test_index_outside_the_tree_has_no_proof(index: int) -> None:
    with pytest.raises(LogError, match="no such index"):
        verify_inclusion(LEAVES[0], index, [LEAVES[1]], 2, root_of(LEAVES[:2]))


def test_proof_of_another_length_is_refused() -> None:
    two, three = root_of(LEAVES[:2]), root_of(LEAVES[:3])
    with pytest.raises(LogError, match="the inclusion proof fails: it is too long"):
        verify_inclusion(LEAVES[0], 0, [LEAVES[1], LEAVES[2]], 2, two)
    with pytest.raises(LogError, match="the consistency proof fails: it is too long"):
        verify_consistency(2, two, [LEAVES[2], LEAVES[3]], 3, three)
    with pytest.raises(LogError, match="the consistency proof fails: it is too short"):
        verify_consistency(2, two, [LEAVES[2]], 7, three)


@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(33)])
def test_hash_of_another_length_is_refused(bad: bytes) -> None:
    with pytest.raises(LogError, match="32 bytes"):
        verify_inclusion(LEAVES[0], 0, [bad], 2, root_of(LEAVES[:2]))
    with pytest.raises(LogError, match="32 bytes"):
        verify_consistency(1, LEAVES[0], [bad], 2, root_of(LEAVES[:2]))
