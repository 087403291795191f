"""An installation in a folder of its own, driven by its command line, and the dates that the measurements play on."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from benchmarks.databases import Kind
    from benchmarks.measure import Cost

LAST_ON = date(2026, 8, 30)
DAYS = 90
INGESTED_AT = datetime(2026, 9, 1, 9, tzinfo=UTC)
"""No message is past three months yet."""
DAY_DUE_AT = datetime(2026, 9, 3, 9, tzinfo=UTC)
"""The first day of them is."""
HALF_DUE_AT = datetime(2026, 10, 16, 9, tzinfo=UTC)
"""About half of them are."""
ALL_DUE_AT = datetime(2026, 12, 15, 9, tzinfo=UTC)
"""All of them are."""

# The belts are open: the measured purges dispose of more at once than anyone should without a second look.
_CONFIG = """
[database]
url = "{url}"
[paths]
state = "var"
anchor = "anchor/checkpoints.log"
[schedule]
time_zone = "Europe/London"
[[schedule.rule]]
name = "direct-messages"
match = {{ visibility = "private" }}
keep = "P3M"
authority = "Privacy notice: people who contact us via social media"
[[source]]
name = "hootsuite-inbox"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "landing"
time_zone = "Europe/London"
settle_seconds = 0
[purge]
max_share = 1.0
max_count = 1000000000
max_clock_jump = "P3650D"
"""


@dataclass(frozen=True, slots=True)
class Office:
    """One installation, a drill; its folder holds everything but a server's database."""

    folder: Path
    kind: Kind

    @property
    def landing(self) -> Path:
        """The folder where exports arrive."""
        return self.folder / "landing"

    def found(self) -> Office:
        """Set it up."""
        self.landing.mkdir(parents=True)
        self.kind.create(self.folder)
        self.configure()
        self.retention("init", "--drill", now=INGESTED_AT)
        return self

    def retention(self, *arguments: str, now: datetime, accepted: Iterable[int] = (0,)) -> tuple[Cost, str]:
        """Run one of our commands and measure it."""
        depth = 2 if arguments[0] == "audit" else 1
        where = ("--config", str(self.folder / "retention.toml"), "--now", now.isoformat())
        command = (sys.executable, "-m", "retention", *arguments[:depth], *where, *arguments[depth:])
        return self.kind.measured(command, accepted=accepted)

    @contextmanager
    def copied(self) -> Iterator[Office]:
        """Give a copy to be used up; nothing is left of it afterwards."""
        copy = Office(self.folder.with_name(f"copy-{uuid4().hex[:12]}"), self.kind)
        try:
            self.copy_to(copy)
            yield copy
        finally:
            self.kind.remove(copy.folder)
            shutil.rmtree(copy.folder, ignore_errors=True)

    def copy_to(self, copy: Office) -> None:
        """Make another installation equal to this one."""
        shutil.copytree(self.folder, copy.folder)
        self.kind.duplicate(self.folder, copy.folder)
        copy.configure()

    def configure(self) -> None:
        """Write its configuration."""
        text = _CONFIG.format(url=self.kind.url(self.folder))
        (self.folder / "retention.toml").write_text(text, encoding="utf-8")
