"""An office to test with: configuration, database of either kind, exports in its landing folder, command line."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from retention.acts.setup import set_up
from retention.context import Context, open_context
from retention.settings import Settings, load_settings
from tests.warm import run_command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEADER = (
    "Message ID",
    "Conversation ID",
    "Medium",
    "Channel",
    "Contact Profile ID",
    "Created at",
    "Direction",
    "Message Type",
    "Content",
)

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
{source}
[purge]
max_share = 1.0
batch_size = 10
max_clock_jump = "P3650D"
{purge}
"""


def row(
    message_id: str,
    created_at: str = "2026-11-01 09:00:00",
    *,
    private: bool = True,
    contact: str = "contact-1",
    conversation: str = "conversation-1",
    network: str = "fb",
    channel: str = "Office page",
    direction: str = "inbound",
    content: str = "Hello, when do you open?",
) -> tuple[str, ...]:
    """Spell one row of an export; times are local in London."""
    kind = f"{network} {'private message' if private else 'comment'}"
    return (message_id, conversation, network, channel, contact, created_at, direction, kind, content)


@dataclass
class Office:
    """One installation of its own under a folder of the test. ``now`` is what the command line is told, as a drill."""

    folder: Path
    url: str
    source: str = ""
    purge: str = ""
    now: datetime = NOW
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the configuration and make the landing folder."""
        self.landing.mkdir(parents=True, exist_ok=True)
        self.configure()

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "retention.toml"

    @property
    def landing(self) -> Path:
        """The landing folder."""
        return self.folder / "landing"

    def configure(self, *changes: tuple[str, str]) -> None:
        """Write the configuration, with pieces of its text replaced."""
        text = _CONFIG.format(url=self.url, source=self.source, purge=self.purge)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.config.write_text(text, encoding="utf-8")

    def settings(self) -> Settings:
        """Load the configuration."""
        return load_settings(self.config)

    def found(self, *, drill: bool = True) -> Office:
        """Set the installation up."""
        set_up(self.settings(), self.now, drill=drill)
        return self

    def open(self) -> Context:
        """Open the installation; the caller closes its database."""
        return open_context(self.settings())

    def drop(self, name: str, rows: Iterable[tuple[str, ...]]) -> Path:
        """Put an export into the landing folder."""
        path = self.landing / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(HEADER)
            writer.writerows(rows)
        return path

    def cli(
        self, *arguments: str, now: datetime | None = None, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line as a process of its own, in drill time unless the arguments are of ``init``."""
        when = (now or self.now).isoformat()
        where = ["--config", str(self.config), "--now", when]
        depth = 2 if arguments[0] in {"backup", "hold", "findings", "audit", "keys", "notice", "upstream"} else 1
        command = [*arguments[:depth], *where, *arguments[depth:]]
        return run_command(command, {**os.environ, **self.environment}, self.folder, text)

    def told(self, *arguments: str, now: datetime | None = None) -> dict[str, Any]:
        """Run a command with ``--format json`` and give what it says, whatever its exit code."""
        done = self.cli(*arguments, "--format", "json", now=now)
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
