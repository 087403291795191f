"""Write messages as the export writes them: local times without an offset, text columns and all.

The file appears under its name only when it is complete. A CSV has the same bytes on every platform; of an archive
that is promised for the CSV inside, because libraries compress differently.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TextIO, cast

from retention.demo.rhythm import zone_of
from retention.errors import RetentionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from retention.demo.history import DemoMessage

COLUMNS = (
    "Message ID", "Conversation ID", "Medium", "Channel", "Channel Display Name", "Contact Profile ID",
    "Contact Primary Identifier", "Contact Secondary Identifier", "Created at", "Direction", "Message Type", "Content",
    "Sentiment", "Post URL", "Agent ID", "Agent Name", "Tags", "Custom: Case",
)  # fmt: skip
_ID, _CREATED = COLUMNS.index("Message ID"), COLUMNS.index("Created at")
BAD_ROW_KINDS = ("missing-id", "missing-date", "impossible-date", "too-few-columns", "too-many-columns")
_BAD_ROW_EVERY = 5
_BUFFER = 1 << 18
_ZIP_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: no clock is read


@dataclass(frozen=True)
class ExportFacts:
    """What is in an export: ``rows`` is private, public and bad ones together; the rest leaves bad rows out."""

    rows: int
    private: int
    public: int
    by_network: dict[str, int]
    bad_rows: int
    first_received_at: datetime | None
    last_received_at: datetime | None


def write_csv(
    path: Path,
    messages: Iterable[DemoMessage],
    *,
    zone: str,
    encoding: str = "utf-8",
    delimiter: str = ",",
    bom: bool = False,
    newline: str = "\r\n",
    bad_rows: Sequence[str] = (),
) -> ExportFacts:
    """Write an export as ``.csv``, ``.csv.gz`` or ``.zip`` and tell what is in it.

    ``bad_rows`` are kinds of ``BAD_ROW_KINDS``; each becomes one damaged copy of a message, spread over the first part
    of the file. Characters that the encoding lacks become question marks.
    """
    _check(encoding, delimiter, newline, bad_rows)
    tally = _Tally(zone_of(zone), bad_rows)
    with export_file(path, encoding=encoding) as text:
        text.write("\ufeff" if bom else "")
        writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
        writer.writerow(COLUMNS)
        writer.writerows(tally.rows(messages))
    return tally.facts()


@contextmanager
def export_file(path: Path, *, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Open a new export for writing; it gets its name when the block ends well, and else nothing is left of it."""
    if not path.name.endswith((".csv", ".csv.gz", ".zip")):
        msg = "a demo export is a .csv, .csv.gz or .zip file"
        raise UsageError(msg)
    part = path.with_name(f"{path.name}.part")
    try:
        with ExitStack() as stack:
            binary = _open(stack, part, path.name)
            yield stack.enter_context(io.TextIOWrapper(binary, encoding, errors="replace", newline=""))
        part.replace(path)
    except OSError as error:
        msg = f"the demo export cannot be written: {error.strerror or type(error).__name__}"
        raise RetentionError(msg) from error
    finally:
        part.unlink(missing_ok=True)


def sum_up(
    counts: Mapping[tuple[str, str], int], *, bad_rows: int, first: datetime | None, last: datetime | None
) -> ExportFacts:
    """Sum up an export from its counts by network and visibility."""
    seen, networks = Counter[str](), Counter[str]()
    for (network, visibility), count in sorted(counts.items()):
        networks[network] += count
        seen[visibility] += count
    return ExportFacts(
        rows=seen.total() + bad_rows,
        private=seen["private"],
        public=seen["public"],
        by_network=dict(networks),
        bad_rows=bad_rows,
        first_received_at=first,
        last_received_at=last,
    )


def _check(encoding: str, delimiter: str, newline: str, bad_rows: Sequence[str]) -> None:
    problem = ""
    if len(delimiter) != 1 or delimiter in '"\r\n':
        problem = "the delimiter of a demo export is one character, and neither a quote nor a line break"
    elif newline not in ("\n", "\r\n"):
        problem = "the lines of a demo export end in LF or CR LF"
    elif not set(bad_rows) <= set(BAD_ROW_KINDS):
        problem = f"bad rows of a demo export are of these kinds: {', '.join(BAD_ROW_KINDS)}"
    else:
        try:
            codecs.lookup(encoding)
        except LookupError:
            problem = "the encoding of a demo export is one that Python knows, such as utf-8"
    if problem:
        raise UsageError(problem)


def _open(stack: ExitStack, part: Path, name: str) -> IO[bytes]:
    raw: IO[bytes] = stack.enter_context(part.open("wb", buffering=_BUFFER))
    if name.endswith(".gz"):
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6)
        return cast("IO[bytes]", stack.enter_context(packed))
    if name.endswith(".zip"):
        archive = stack.enter_context(zipfile.ZipFile(raw, "w"))
        member = zipfile.ZipInfo(f"{name.removesuffix('.zip').removesuffix('.csv')}.csv", _ZIP_BEGINNING)
        member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
        return stack.enter_context(archive.open(member, "w", force_zip64=True))
    return raw


class _Tally:
    """Turns messages into rows and counts them as they pass."""

    def __init__(self, zone: ZoneInfo, bad_rows: Sequence[str]) -> None:
        self._zone = zone
        self._to_damage = list(bad_rows)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._bad = 0
        self._first: DemoMessage | None = None
        self._last: DemoMessage | None = None

    def rows(self, messages: Iterable[DemoMessage]) -> Iterator[Sequence[str]]:
        zone, counts = self._zone, self._counts
        row: tuple[str, ...] = ()
        for number, message in enumerate(messages, 1):
            if self._first is None:
                self._first = message
            self._last = message
            kind = (message.medium, message.visibility)
            counts[kind] += 1
            created = message.received_at.astimezone(zone).isoformat(" ")[:19]
            before, after = cast("tuple[list[str], list[str]]", (message[:_CREATED], message[_CREATED + 1 : -1]))
            row = (*before, created, *after)
            yield row
            if self._to_damage and not number % _BAD_ROW_EVERY:
                yield self._damaged(row)
        while self._to_damage:
            if not row:
                msg = "a demo export without a message cannot have bad rows"
                raise UsageError(msg)
            yield self._damaged(row)

    def _damaged(self, good: tuple[str, ...]) -> Sequence[str]:
        self._bad += 1
        kind, row = self._to_damage.pop(0), list(good)
        row[_ID] = f"damaged-{self._bad}"
        if kind == "missing-id":
            row[_ID] = ""
        elif kind == "missing-date":
            row[_CREATED] = ""
        elif kind == "impossible-date":
            row[_CREATED] = f"{row[_CREATED][:4]}-02-30 25:61:00"
        elif kind == "too-few-columns":
            row = row[:_CREATED]
        else:
            row += ["stray"]
        return row

    def facts(self) -> ExportFacts:
        first = self._first.received_at if self._first else None
        last = self._last.received_at if self._last else None
        return sum_up(self._counts, bad_rows=self._bad, first=first, last=last)
