"""The configuration that the service works by, and how another one takes its place.

What was read and found good is kept as a copy of the file, and the jobs are given that copy: so a file that is being
edited, or is wrong, changes nothing before the service has read it whole and agreed.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from retention.anchors.catalog import build_anchors
from retention.configured import check_sources
from retention.errors import ConfigError
from retention.service.trigger import check_jobs
from retention.settings import load_settings
from retention.settings.serve import NO_JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from retention.settings import Settings

_FIXED = "can only change with a restart of the service"


class Reading(NamedTuple):
    """What a file said when it was read, and the copy of it."""

    settings: Settings
    copy: Path


class Configuration:
    """One configuration file, of which copies are kept in a folder."""

    def __init__(self, path: Path, folder: Path, *, jobs: bool) -> None:
        """Name the file and the folder; without ``jobs`` every one is switched off, whatever the file says."""
        self.path = path
        self.base = path.resolve().parent
        self._folder = folder
        self._jobs = jobs
        self._number = 0

    def read(self, now: datetime) -> Reading:
        """Read, copy and check the file.

        Raises:
            ConfigError: it cannot be used; every problem is listed.

        """
        self._number += 1
        copy = self._folder / f"{self._number}.toml"
        try:
            copy.write_bytes(self.path.read_bytes())
        except OSError as error:
            raise ConfigError([f"{self.path}: cannot be read ({error.strerror})"]) from None
        try:
            settings = load_settings(copy, self.base)
            check_sources(copy, settings)
            check_jobs(copy, settings, now)
            build_anchors(settings)
        except ConfigError as error:
            copy.unlink()
            raise ConfigError([one.replace(str(copy), str(self.path)) for one in error.problems]) from None
        if not self._jobs:
            settings = settings.model_copy(update={"serve": settings.serve.model_copy(update={"jobs": NO_JOBS})})
        return Reading(settings, copy)


@contextmanager
def configuration(path: Path, *, jobs: bool) -> Iterator[Configuration]:
    """Keep copies of a configuration for as long as the service runs."""
    with TemporaryDirectory(prefix="retention-serve-") as folder:
        yield Configuration(path, Path(folder), jobs=jobs)


def changed_for_good(old: Settings, new: Settings) -> list[str]:
    """Say what a running service cannot change: its database, its keys and where it listens."""
    pairs = {
        "database.url": (old.database.url, new.database.url),
        "paths.state": (old.paths.state, new.paths.state),
        "serve.listen": (old.serve.listen, new.serve.listen),
        "serve.take_over_seconds": (old.serve.take_over_seconds, new.serve.take_over_seconds),
    }
    return [f"{key}: {_FIXED}" for key, (before, after) in pairs.items() if before != after]
