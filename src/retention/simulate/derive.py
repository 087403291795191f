"""Numbers that follow from a seed: the same for the same seed, in any order, without remembering any of them."""

from __future__ import annotations

from uuid import UUID

_MASK = (1 << 64) - 1


def mixed(seed: int, number: int) -> int:
    """Give 64 bits that follow from the two and look random (the finalizer of SplitMix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + (number + 1) * 0xD1B54A32D192ED03) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def hexadecimal(seed: int, name: str, size: int) -> str:
    """Give ``size`` bytes that follow from a seed and a name, spelled in hexadecimal: an invented secret."""
    base = int.from_bytes(name.encode(), "big")
    words = (f"{mixed(seed ^ base & _MASK, base + n):016x}" for n in range(-(-size // 8)))
    return "".join(words)[: 2 * size]


class Names:
    """Hands out identifiers one after another; the same ones in the same order for the same seed."""

    def __init__(self, seed: int) -> None:
        """Start the row."""
        self._seed = seed
        self._given = 0

    def uuid(self) -> str:
        """Give the next UUID."""
        self._given += 1
        bits = mixed(self._seed, 2 * self._given) << 64 | mixed(self._seed, 2 * self._given + 1)
        return str(UUID(int=bits, version=4))
