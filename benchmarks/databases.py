"""What the measurements need of a kind of database: to make, copy and remove one, and to run a plain script in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.measure import Cost

SQLITE = "SQLite"
POSTGRES = "PostgreSQL"


class Kind(Protocol):
    """A kind of database. A database is named by the folder of the installation that it belongs to."""

    @property
    def name(self) -> str:
        """SQLITE or POSTGRES, the key to the yardsticks' scripts."""

    @property
    def title(self) -> str:
        """The name and, where it is a server's, the version."""

    @property
    def tool(self) -> str:
        """What runs the yardsticks' scripts, as the tables call it."""

    def url(self, folder: Path) -> str:
        """Give the address for the configuration."""

    def create(self, folder: Path) -> None:
        """Make an empty database where that is not the installation's own work."""

    def duplicate(self, original: Path, copy: Path) -> None:
        """Copy what of a database lies outside its folder, and let the disk come to rest."""

    def remove(self, folder: Path) -> None:
        """Remove what of a database lies outside its folder."""

    def measured(self, command: Sequence[str | Path], *, accepted: Iterable[int] = (0,)) -> tuple[Cost, str]:
        """Run one of our commands and measure it, with what a server did for it."""

    def script(self, folder: Path, text: str) -> Cost:
        """Run a script by the database's own command line and measure it, with what a server did for it."""
