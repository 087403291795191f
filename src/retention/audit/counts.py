"""Follow the size of the register through the log: what one entry leaves, the next one must begin with.

The log begins with an empty register (``registered`` of the first entry). Entries that change it say how many messages
were registered ``before`` and ``after``:

    import_done          after - before = registered, less what import_interrupted entries have told already
    import_refused       what was registered of a file before it was refused; after is not less than before
    import_interrupted   what was registered by an import that was cut off; after is not less than before
    batch                before - after = count
    redated              one less each, without saying so
    register_reconciled  somebody has looked at a difference and begun anew with what is really there
    heartbeat            registered is what there is

So the size is known at every entry from the log alone. Entries of earlier versions do not say ``before`` and ``after``;
then the sum begins at the first that does. That the register really has this size is for ``report/deep.py`` to check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROWING = frozenset({"import_done", "import_refused", "import_interrupted"})
_COUNTED = _GROWING | {"batch", "register_reconciled"}


class CountCheck:
    """Reads every entry but disposals, in order. ``registered`` is the size so far, or None where it is not known."""

    def __init__(self) -> None:
        """Start before the first entry."""
        self.registered: int | None = None
        self._told_early = 0

    def see(self, kind: str, entry: Mapping[str, Any]) -> str | None:
        """Look at the next entry.

        Args:
            kind: its kind.
            entry: what it says.

        Returns:
            What is wrong with it, the end of a sentence that begins with the entry; None where nothing is.

        """
        if kind == "genesis":
            self.registered = _number(entry.get("registered"))
        elif kind == "redated" and self.registered is not None:
            self.registered -= 1
        elif kind == "heartbeat" and self.registered is not None and entry.get("registered") != self.registered:
            return f"says another number of registered messages than the {self.registered} that those before it leave"
        elif kind in _COUNTED and (self.registered is not None or "before" in entry):
            return self._change(kind, entry)
        return None

    def _change(self, kind: str, entry: Mapping[str, Any]) -> str | None:
        expected, before, after = self.registered, _number(entry.get("before")), _number(entry.get("after"))
        if before is None or after is None:
            return "does not say how many messages were registered before and after it"
        self.registered = after
        if expected not in {None, before}:
            return f"says {before} messages were registered before it, those before it leave {expected}"
        if not self._fits(kind, entry, after - before):
            return "does not count what it says"
        return None

    def _fits(self, kind: str, entry: Mapping[str, Any], grown: int) -> bool:
        if kind == "batch":
            return -grown == _number(entry.get("count"))
        if kind == "import_interrupted":
            self._told_early += grown
        elif kind == "import_done":
            early = (_number(entry.get("registered")) or 0) - grown
            self._told_early -= early
            return grown >= 0 and early >= 0 and self._told_early >= 0
        return grown >= 0 or kind == "register_reconciled"


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
