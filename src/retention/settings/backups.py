"""The table ``[backups]``: for how long the organisation keeps the copies that no run reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from retention.model import Period
from retention.settings.fields import PeriodText
from retention.settings.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retention.settings.table import Wrong

Copy = Literal["database", "keys", "replica", "wal-archive", "other"]


class BackupSettings(Table):
    """A standing rule: every copy of these kinds is gone this long after it was made."""

    keep: PeriodText | None = None
    what: Annotated[list[Copy], Field(min_length=1)] = Field(default=["database"])

    @property
    def keep_time(self) -> Period | None:
        """The period as a value."""
        return Period.parse(self.keep) if self.keep else None

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if "what" in given and "keep" not in given:
            yield ("what",), "goes with keep, which says for how long they are kept"
