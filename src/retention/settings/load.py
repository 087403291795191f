"""Find, read and check the configuration file."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from retention.errors import ConfigError
from retention.settings.locate import Place, line_of, lines_of
from retention.settings.partial import Part, what_is_right
from retention.settings.schema import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from retention.settings.source import SourceSettings

ENVIRONMENT = "RETENTION_CONFIG"
BASE = "RETENTION_CONFIG_BASE"
"""Names the folder that relative paths are relative to, where that is not the file's own."""
_LIBRARY = re.compile(r"^(Input|String|Value) should\b")
DEFAULT_PLACES = (Path("config/retention.toml"), Path("/etc/retention/retention.toml"))


def find_config(named: Path | None) -> Path:
    """Give the configuration file: the named one, else $RETENTION_CONFIG, else the first default that exists."""
    if named is not None:
        return named
    if given := os.environ.get(ENVIRONMENT):
        return Path(given)
    for place in DEFAULT_PLACES:
        if _may_be_there(place):
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


def _may_be_there(place: Path) -> bool:
    """Tell whether a file is there or hidden from us: then reading it says what is wrong."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def load_settings(path: Path, base: Path | None = None) -> Settings:
    """Read and check a configuration file; relative paths in it become absolute, below ``base`` where that is given.

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
        settings = Settings.model_validate(_parsed(path, text))
    except ValidationError as error:
        problems = [(_place_of(problem), _reason_of(problem)) for problem in error.errors()]
        raise ConfigError(_located(path, text, problems)) from None
    if base is None and (named := os.environ.get(BASE)):
        base = Path(named)
    return _absolute(settings, base or path.resolve().parent)


def load_partly(path: Path) -> tuple[Part, list[str]]:
    """Read what is right of a configuration, and say what is not; never fails."""
    try:
        return Part(load_settings(path), frozenset()), []
    except ConfigError as error:
        problems = error.problems
    try:
        data = _parsed(path, path.read_text(encoding="utf-8-sig"))
    except (ConfigError, OSError, UnicodeDecodeError):
        data = {}
    base = Path(named) if (named := os.environ.get(BASE)) else path.resolve().parent
    part = what_is_right(data)
    return part._replace(settings=_absolute(part.settings, base)), problems


def say_where(path: Path, problems: list[tuple[Place, str]]) -> list[str]:
    """Say each problem with a value of a file that was loaded, after file, line and key."""
    return _located(path, path.read_text(encoding="utf-8-sig"), problems)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {error}"]) from None
    except (ValueError, RecursionError):  # what the library does not expect: thousands of digits or brackets in a row
        raise ConfigError([f"{path}: is not usable TOML: a number is too long or brackets go too deep"]) from None


def _located(path: Path, text: str, problems: list[tuple[Place, str]]) -> list[str]:
    places = lines_of(text)
    told = []
    for place, reason in problems:
        line = line_of(place, places)
        key = ".".join(f"{part + 1}" if isinstance(part, int) else part for part in place)
        told.append(f"{path}:{line}: {key}: {reason}" if line else f"{path}: {key or 'the file'}: {reason}")
    return told


def _place_of(problem: ErrorDetails) -> Place:
    return tuple(part for part in problem["loc"] if not _is_union_branch(part))


def _reason_of(problem: ErrorDetails) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is not a known key"}
    told = problem["msg"].removeprefix("Value error, ")
    return known.get(problem["type"]) or _LIBRARY.sub("must", told)


def _is_union_branch(part: str | int) -> bool:
    return isinstance(part, str) and (
        part.startswith(("constrained-str", "list[", "literal[", "function-")) or part == "str"
    )


def _source_below(base: Path, source: SourceSettings) -> SourceSettings:
    key_file = base / source.key_file if source.key_file else None
    path = base / source.path if source.path else None
    return source.model_copy(update={"path": path, "key_file": key_file})


def _absolute(settings: Settings, base: Path) -> Settings:
    url = settings.database.url
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{base / url.removeprefix('sqlite:///')}"
    paths = settings.paths
    anchor = base / paths.anchor if paths.anchor else None
    notice = settings.notice
    if notice:
        places = {"file": notice.file, "page": notice.page}
        notice = notice.model_copy(update={key: base / place for key, place in places.items() if place})
    return settings.model_copy(
        update={
            "database": settings.database.model_copy(update={"url": url}),
            "paths": paths.model_copy(update={"state": base / paths.state, "anchor": anchor}),
            "anchor": [
                one.model_copy(
                    update={
                        "path": base / one.path if one.path else None,
                        "certificate": base / one.certificate if one.certificate else None,
                    }
                )
                for one in settings.anchor
            ],
            "notice": notice,
            "notify": [
                one.model_copy(update={"certificate": base / one.certificate}) if one.certificate else one
                for one in settings.notify
            ],
            "source": [_source_below(base, source) for source in settings.source],
        }
    )
