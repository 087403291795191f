"""From lines to records, so that one stray quotation mark costs one row and not every row up to the next mark.

The strict reader of the standard library raises an error where quotation marks do not pair up, but by then it may
have passed many good rows as if they were one text. So the lines since the last good record are kept, and reading
goes on with the line after the one on which the broken record starts.
"""

from __future__ import annotations

import csv
from collections import deque
from itertools import islice, tee
from typing import TYPE_CHECKING

from retention.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_FIELD = 1024 * 1024
"""Characters that one field may have. Set once for the process: the library knows no other way."""

MAX_REREAD = 100_000
"""Lines of one file that may be read again after errors; without a bound a made-up file could keep us for days."""

_KEPT_LINES = 16

csv.field_size_limit(MAX_FIELD)


def read_records(
    lines: Iterable[str],
    delimiter: str,
    on_progress: Callable[[], None],
) -> Iterator[tuple[int, list[str] | None]]:
    """Give the line on which each record starts, counted from 1, and its fields, or None where it is broken.

    Raises FileRefusedError where so much is broken that rows cannot be told apart.
    """
    ahead, behind = tee(lines)
    before = 0  # lines before the first one of the reader in use
    passed = 0  # lines that `behind` has given up
    furthest = 0  # the last line that a broken record reached into
    allowance = MAX_REREAD
    while True:
        reader = csv.reader(ahead, delimiter=delimiter, strict=True)
        line = before + 1
        try:
            for row in reader:
                yield line, row
                line = before + reader.line_num + 1
                if line - passed > _KEPT_LINES:
                    _skip(behind, line - 1 - passed)
                    passed = line - 1
                    if line > furthest:
                        on_progress()
        except csv.Error:
            reached = before + reader.line_num
        else:
            return
        yield line, None
        if line > furthest:
            on_progress()
        furthest = max(furthest, reached)
        allowance -= reached - line
        if allowance < 0:
            reason = "has so many unpaired quotation marks that its rows cannot be told apart"
            raise FileRefusedError(reason, line=line)
        _skip(behind, line - passed)
        ahead, behind = tee(behind)
        before = passed = line


def _skip(lines: Iterator[str], count: int) -> None:
    deque(islice(lines, count), maxlen=0)
