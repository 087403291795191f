"""From bytes to text, forgiving: bytes that do not decode are marked, so that they matter only where they stand.

The text of a message may be damaged or in another encoding without its row being lost. Each stretch of bytes that
cannot be decoded becomes one lone surrogate, which no valid file can hold; a field that is needed and has one is
refused later, row by row.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retention.sources.files.bytestream import GuardedBytes

MARK = "\udcff"
"""What stands in the text for bytes that could not be decoded."""

_ERRORS = "retention-mark-undecodable"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FAMILIES = ("iso8859-", "cp", "koi8-", "mac-", "utf-16")
# Codecs such as utf-7 or unicode_escape can write a delimiter in disguise; these cannot.
_NAMES = frozenset(
    {"utf-8", "utf-8-sig", "ascii", "tis-620", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"},
)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return MARK, error.end
    raise error


# The handler surrogateescape gives up on ASCII bytes within a damaged character, which utf-16 and gbk can have.
codecs.register_error(_ERRORS, _mark)


def encoding_problem(encoding: str) -> str | None:
    """Say why a name is not an encoding that CSV files are read in, or None where it is one."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return "is not an encoding that Python knows; write for example utf-8, utf-16 or cp1252"
    if name in _NAMES or name.startswith(_FAMILIES):
        return None
    return "is not an encoding for CSV files; write for example utf-8, utf-16 or cp1252"


def decode(stream: GuardedBytes, encoding: str) -> io.TextIOWrapper:
    """Read a stream as text with its line ends as they are; a byte order mark at its head overrides the encoding."""
    chosen = next((name for bom, name in _BOMS if stream.head.startswith(bom)), None) or _without_mark(encoding)
    return io.TextIOWrapper(stream, encoding=chosen, errors=_ERRORS, newline="")


def _without_mark(encoding: str) -> str:
    # The codec utf-16 fails where there is no mark; the programs that leave it out write little endian.
    return "utf-16-le" if codecs.lookup(encoding).name == "utf-16" else encoding
