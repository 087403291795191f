"""Follow the size of the register through the log: what one entry leaves, the next one must begin with.

The log begins with an empty register (``registered`` of the first entry); a new epoch goes on with what there is.
Entries that change it say how many messages were registered ``before`` and ``after``:

    import_done          after - before = registered, less what import_interrupted entries have told already
    import_refused       what was registered of a file before it was refused; after is not less than before
    import_interrupted   what was registered by an import that was cut off; after is not less than before
    batch                before - after = count
    redated              one less each, without saying so
    register_reconciled  a person has looked at a difference and begun anew with what is really there, whatever was
                         before; what did not fit until then is settled by it
    heartbeat            registered is what there is

So the size is known at every entry from the log alone. Entries of earlier versions do not say ``before`` and ``after``;
then the sum begins at the first that does. What does not fit is no fault of the log, which says what was done: it means
that somebody has changed the register or its ledger around the program. That the register really has this size is for
``report/deep.py`` to check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROWING = frozenset({"import_done", "import_refused", "import_interrupted"})
_COUNTED = _GROWING | {"batch", "register_reconciled"}


class CountCheck:
    """Reads every entry but disposals, in order.

    ``registered`` is the size so far, or None where it is not known. ``problem`` is the first entry since a person last
    reconciled register and ledger that does not count on from those before it, in a sentence.
    """

    def __init__(self) -> None:
        """Start before the first entry."""
        self.registered: int | None = None
        self.problem: str | None = None
        self._told_early = 0

    def see(self, index: int, kind: str, entry: Mapping[str, Any]) -> None:
        """Look at the next entry.

        Args:
            index: its index.
            kind: its kind.
            entry: what it says.

        """
        if kind == "genesis":
            before, self.registered = self.registered, _number(entry.get("registered"))
            self._demand(before in {None, self.registered}, index)
        elif kind == "redated" and self.registered is not None:
            self.registered -= 1
        elif kind == "heartbeat" and self.registered is not None:
            self._demand(entry.get("registered") == self.registered, index)
        elif kind in _COUNTED and (self.registered is not None or "before" in entry):
            self._change(index, kind, entry)

    def _demand(self, fits: bool, index: int) -> None:  # noqa: FBT001  # the only thing it is asked
        if not fits and self.problem is None:
            self.problem = f"entry {index} does not count the register on from the entries before it"

    def _change(self, index: int, kind: str, entry: Mapping[str, Any]) -> None:
        expected, before, after = self.registered, _number(entry.get("before")), _number(entry.get("after"))
        if before is None or after is None:
            self._demand(False, index)  # noqa: FBT003  # neither number is there
            return
        self.registered = after
        if kind == "register_reconciled":
            self.problem, self._told_early = None, 0
            return
        self._demand(expected in {None, before} and self._fits(kind, entry, after - before), index)

    def _fits(self, kind: str, entry: Mapping[str, Any], grown: int) -> bool:
        if kind == "batch":
            return -grown == _number(entry.get("count"))
        if kind == "import_interrupted":
            self._told_early += grown
        elif kind == "import_done":
            early = (_number(entry.get("registered")) or 0) - grown
            self._told_early -= early
            return grown >= 0 and early >= 0 and self._told_early >= 0
        return grown >= 0


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
