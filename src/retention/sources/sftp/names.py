"""Which names of a server's folder may become names here. A server is not asked to be kind, so nothing is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.sources.interface import SkippedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 200
"""Bytes; what is put before a name here must fit into the 255 of a file system too."""

_SHOWN = 80
_TEMPORARY_ENDINGS = (".part", ".tmp", ".filepart", ".crdownload", ".swp", "~")


def judge_name(raw: bytes, suffixes: Sequence[str]) -> str | SkippedFile | None:
    """Give a name that may be used, or why it must not be; None for names that nobody has to hear of."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return refuse(raw, "has a name that is not UTF-8 text; rename it on the server")
    if not name.isprintable() or not name or "/" in name or "\\" in name:
        return refuse(raw, "has a name with control characters or separators of folders; rename it on the server")
    if name.startswith(".") or name.lower().endswith(_TEMPORARY_ENDINGS):
        return None
    if len(raw) > LONGEST:
        return refuse(raw, f"has a name of more than {LONGEST} bytes; rename it on the server")
    if not name.lower().endswith(tuple(suffixes)):
        return refuse(raw, f"is not a file that this source reads; names end in {', '.join(suffixes)}")
    return name


def refuse(raw: bytes, reason: str) -> SkippedFile:
    """Describe a file that must not be fetched; its name is shown without what could do harm on a terminal."""
    text = raw[:_SHOWN].decode("utf-8", "replace")
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return SkippedFile(shown or "\ufffd", reason, needs_attention=True)
