"""The source ``archive``: the files of one landing folder that a person downloaded from a network."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from retention.sources.archive import linkedin, meta, x
from retention.sources.archive.messages import Messages
from retention.sources.files.source import Element, FileSource, naming
from retention.sources.files.times import LocalClock
from retention.sources.files.unpack import Member, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from retention.sources.files.unpack import Contents


def _last_parts(names: list[str]) -> list[str]:
    return [name.rsplit("/", 1)[-1] for name in names]


@dataclass(frozen=True, slots=True)
class ArchiveFormat:
    """How the download of one network is read.

    ``shown`` gives names for the parts of an archive that may stand in a finding: their own can hold people's names.
    """

    network: str
    wanted: Wanted
    read: Callable[[Member, Messages], Iterator[Element]]
    shown: Callable[[list[str]], list[str]] = _last_parts


ARCHIVES: Mapping[str, ArchiveFormat] = MappingProxyType(
    {
        "x-archive": ArchiveFormat("x", x.WANTED, x.read),
        "facebook-archive": ArchiveFormat(
            "facebook", meta.wanted_of("Facebook", "instagram"), meta.read, meta.shown_names
        ),
        "instagram-archive": ArchiveFormat(
            "instagram", meta.wanted_of("Instagram", "facebook"), meta.read, meta.shown_names
        ),
        "linkedin-archive": ArchiveFormat("linkedin", linkedin.WANTED, linkedin.read),
    },
)
"""Every format by the name it has in the configuration."""


class Archive(FileSource):
    """Downloads of one network. The other parts of an archive are its owner's business and are not named."""

    def __init__(
        self,
        name: str,
        folder: Path,
        archive_format: ArchiveFormat,
        own_accounts: tuple[str, ...] = (),
        *,
        settle_seconds: float = 60.0,
    ) -> None:
        """Take the source's name, its landing folder, the format, the accounts that are ours and the time to rest."""
        # Every instant in an archive says its offset or is counted from 1970.
        clock = LocalClock(ZoneInfo("UTC"))
        super().__init__(name, folder, archive_format.wanted, clock, settle_seconds=settle_seconds)
        self._format = archive_format
        self._own = own_accounts

    def _read_contents(self, contents: Contents) -> Iterator[Element]:
        shown = self._format.shown([member.name for member in contents.members])
        for member, called in zip(contents.members, shown, strict=True):
            part = Member(called, member.open)
            messages = Messages(self.name, self._format.network, self._own, called)
            with naming(part):
                yield from self._format.read(part, messages)
