"""Check what entries say against each other: a batch against its disposals, days against the cutoff.

Hashes show that entries are the ones that were appended; this shows that what was appended makes sense by itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_DISPOSAL = re.compile(
    r'\{"batch":([1-9]\d*),"kind":"disposal","network":"[a-z0-9._-]{1,64}",'
    r'"pseudonym":"[A-Za-z0-9_-]{22}","received_on":"(\d{4}-\d\d-\d\d)","v":1\}'
)


class FactCheck:
    """Reads entries in order and reports what does not fit."""

    def __init__(self, report: Callable[[str, int | None], None]) -> None:
        """Remember whom to tell about problems: a sentence and the index it concerns."""
        self._report = report
        self._batch = 0
        self._pending: list[str] = []
        self._first = 0

    def see(self, index: int, body: str) -> None:
        """Look at the next entry.

        Args:
            index: its index.
            body: its canonical JSON.

        """
        if disposal := _DISPOSAL.fullmatch(body):
            self._disposal(index, int(disposal[1]), disposal[2])
            return
        entry = _parsed(body)
        kind = entry.get("kind", "disposal")
        if kind == "disposal":
            self._report(f"entry {index} is not an entry of this log's form", index)
        elif self._pending and kind != "batch":
            self._report(f"entry {index} stands between disposals and the batch that closes them", index)
        elif kind == "batch":
            self._close(index, entry)

    def end(self) -> None:
        """Report disposals that no batch has closed."""
        if self._pending:
            self._report(f"no batch closes the disposals from entry {self._first} on", self._first)

    def _disposal(self, index: int, batch: int, received_on: str) -> None:
        if not self._pending:
            self._first, self._batch = index, batch
        if batch != self._batch:
            self._report(f"entry {index} belongs to another batch than its neighbours", index)
        self._pending.append(received_on)

    def _close(self, index: int, entry: dict[str, Any]) -> None:
        days, first = self._pending, self._first
        self._pending = []
        if (entry.get("batch"), entry.get("first"), entry.get("count")) != (self._batch, first, len(days)) or not days:
            self._report(f"the batch at entry {index} does not describe the disposals before it", index)
            return
        cutoff = str(entry.get("due_before", ""))
        late = [offset for offset, day in enumerate(days) if day >= cutoff]
        if late:
            self._report(f"entry {first + late[0]} was not due under the cutoff of its batch", first + late[0])


def _parsed(body: str) -> dict[str, Any]:
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
