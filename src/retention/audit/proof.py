"""Proofs over the tree: the checks of RFC 9162 section 2.1, for the hashes of RFC 6962.

Sizes and roots come from checkpoints whose signatures were verified. A proof brings its path and nothing else: with a
size that came along with the proof, a node could be passed off as a leaf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.merkle import EMPTY_ROOT, HASH_SIZE, node_hash
from retention.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Sequence


def verify_inclusion(leaf: bytes, index: int, proof: Sequence[bytes], size: int, root: bytes) -> None:
    """Check that a leaf stands at its index in a tree (RFC 9162 section 2.1.3.2).

    Args:
        leaf: The leaf hash, 32 bytes.
        index: Its index, from 0.
        proof: The hashes of the inclusion path, from the leaf upwards.
        size: Number of leaves, taken from a checkpoint whose signature was verified and never from the proof.
        root: The root hash of the same checkpoint.

    Raises:
        LogError: the proof does not show it.

    """
    _check_lengths([leaf, *proof, root], "inclusion")
    if not 0 <= index < size:
        msg = "the inclusion proof fails: there is no such index in a tree of this size"
        raise LogError(msg)
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            msg = "the inclusion proof fails: it is too long"
            raise LogError(msg)
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            position, last = _skip_levels_without_sibling(position, last)
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        msg = "the inclusion proof fails: it is too short"
        raise LogError(msg)
    if result != root:
        msg = "the inclusion proof fails: it does not lead to the root"
        raise LogError(msg)


def verify_consistency(
    first_size: int, first_root: bytes, proof: Sequence[bytes], second_size: int, second_root: bytes
) -> None:
    """Check that a tree only grew: the first is a prefix of the second (RFC 9162 section 2.1.4.2).

    Args:
        first_size: Leaves of the older tree, from its checkpoint.
        first_root: Root hash of the older tree.
        proof: The hashes of the consistency path; empty where the sizes are equal or the older tree is empty.
        second_size: Leaves of the newer tree, from its checkpoint.
        second_root: Root hash of the newer tree.

    Raises:
        LogError: the proof does not show it.

    """
    _check_lengths([first_root, *proof, second_root], "consistency")
    if not 0 <= first_size <= second_size:
        msg = "the consistency proof fails: the newer tree is smaller than the older one"
        raise LogError(msg)
    if first_size in (0, second_size):
        _check_trivial_consistency(first_size, first_root, proof, second_size, second_root)
        return
    if not proof:
        msg = "the consistency proof fails: it is empty"
        raise LogError(msg)
    # A first tree of a power of two is itself a node of the second one, and its hash is left out of the proof.
    path = [first_root, *proof] if first_size & (first_size - 1) == 0 else list(proof)
    if _fold_consistency(first_size - 1, second_size - 1, path) != (first_root, second_root):
        msg = "the consistency proof fails: it does not lead to both roots"
        raise LogError(msg)


def _fold_consistency(position: int, last: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """Compute both roots that a path leads to, the older first."""
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            msg = "the consistency proof fails: it is too long"
            raise LogError(msg)
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            position, last = _skip_levels_without_sibling(position, last)
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        msg = "the consistency proof fails: it is too short"
        raise LogError(msg)
    return older, newer


def _check_trivial_consistency(
    first_size: int, first_root: bytes, proof: Sequence[bytes], second_size: int, second_root: bytes
) -> None:
    if proof:
        msg = "the consistency proof fails: it must be empty for these sizes"
        raise LogError(msg)
    if first_size == second_size and first_root != second_root:
        msg = "the consistency proof fails: two different trees of the same size"
        raise LogError(msg)
    if first_size == 0 and first_root != EMPTY_ROOT:
        msg = "the consistency proof fails: the older root is not that of an empty tree"
        raise LogError(msg)


def _skip_levels_without_sibling(position: int, last: int) -> tuple[int, int]:
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _check_lengths(hashes: Sequence[bytes], proof: str) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        msg = f"the {proof} proof fails: a hash in it does not have {HASH_SIZE} bytes"
        raise LogError(msg)
