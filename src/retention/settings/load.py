"""Find, read and check the configuration file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from retention.errors import ConfigError
from retention.settings.locate import line_of, lines_of
from retention.settings.schema import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENVIRONMENT = "RETENTION_CONFIG"
DEFAULT_PLACES = (Path("config/retention.toml"), Path("/etc/retention/retention.toml"))


def find_config(named: Path | None) -> Path:
    """Give the configuration file: the named one, else $RETENTION_CONFIG, else the first default that exists."""
    if named is not None:
        return named
    if given := os.environ.get(ENVIRONMENT):
        return Path(given)
    for place in DEFAULT_PLACES:
        if place.exists():
            return place
    looked = ", ".join(f"./{place}" if not place.is_absolute() else str(place) for place in DEFAULT_PLACES)
    raise ConfigError(
        [
            (
                f"no configuration found (looked at --config, ${ENVIRONMENT}, {looked}); "
                "write an example with: retention init --write-config FILE"
            )
        ]
    )


def load_settings(path: Path) -> Settings:
    """Read and check a configuration file; relative paths in it become absolute.

    Raises:
        ConfigError: the file cannot be read or used; every problem is listed with file, line and key.

    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); name another file with --config"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from None
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([f"{path}: is not valid TOML: {error}"]) from None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        places = lines_of(text)
        raise ConfigError([_say(path, problem, places) for problem in error.errors()]) from None
    return _absolute(settings, path.resolve().parent)


def _say(path: Path, problem: ErrorDetails, places: dict[tuple[str | int, ...], int]) -> str:
    place: tuple[str | int, ...] = tuple(part for part in problem["loc"] if not _is_union_branch(part))
    line = line_of(place, places)
    key = ".".join(f"{part + 1}" if isinstance(part, int) else part for part in place)
    where = f"{path}:{line}" if line else f"{path}"
    reason = {"missing": "is missing", "extra_forbidden": "is not a known key"}.get(problem["type"])
    return f"{where}: {key or 'the file'}: {reason or _plain(problem['msg'])}"


def _is_union_branch(part: str | int) -> bool:
    return isinstance(part, str) and (
        part.startswith(("constrained-str", "list[", "literal[", "function-")) or part == "str"
    )


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _absolute(settings: Settings, base: Path) -> Settings:
    url = settings.database.url
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{base / url.removeprefix('sqlite:///')}"
    paths = settings.paths
    anchor = base / paths.anchor if paths.anchor else None
    return settings.model_copy(
        update={
            "database": settings.database.model_copy(update={"url": url}),
            "paths": paths.model_copy(update={"state": base / paths.state, "anchor": anchor}),
            "source": [source.model_copy(update={"path": base / source.path}) for source in settings.source],
        }
    )
