"""Every kind of source and every preset by name: the only file that knows them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retention.errors import ConfigError
from retention.sources.archive import ARCHIVES, Archive
from retention.sources.csv_export import PRESETS, ColumnMatch, CsvExport, CsvFormat, matches_by_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from retention.sources.interface import Source

    Match = Mapping[str, str | Sequence[str]]

KINDS = ("csv-export", "archive")
"""Kinds of files that this version reads."""

LATER_KINDS = ("sftp", "hootsuite-api")
"""Kinds that have a name already and are not part of this version."""

__all__ = ["ARCHIVES", "KINDS", "LATER_KINDS", "PRESETS", "build_source"]


def build_source(  # noqa: PLR0913 - one argument for each key of the configuration
    kind: str,
    *,
    name: str,
    path: Path,
    time_zone: str | None = None,
    preset: str | None = None,
    columns: Mapping[str, str] | None = None,
    private_when: Match | None = None,
    public_when: Match | None = None,
    date_format: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    own_account: str | Sequence[str] | None = None,
    settle_seconds: float = 60.0,
) -> Source:
    """Make the source that a table ``[[source]]`` describes.

    ``private_when`` and ``public_when`` hold ``column`` and ``equals`` or ``contains``, a text or a list of texts.
    Raises ConfigError, each of whose problems begins with the key at fault.
    """
    if kind not in KINDS:
        raise ConfigError([_unknown_kind(kind)])
    problems = [] if 0 <= settle_seconds < float("inf") else ["settle_seconds: must be zero or more"]
    if kind == "archive":
        table = {
            "time_zone": time_zone,
            "columns": columns,
            "private_when": private_when,
            "public_when": public_when,
            "date_format": date_format,
            "delimiter": delimiter,
            "encoding": encoding,
        }
        problems += _not_of_archives(preset, [key for key, value in table.items() if value is not None])
        if problems:
            raise ConfigError(problems)
        own = (own_account,) if isinstance(own_account, str) else tuple(own_account or ())
        return Archive(name, path, ARCHIVES[preset or ""], own, settle_seconds=settle_seconds)
    base = _base_format(preset, columns, private_when)
    visibility = _visibility(base, private_when, public_when)
    csv_format = replace(
        base,
        private_when=visibility[0],
        public_when=visibility[1],
        date_format=date_format,
        delimiter="," if delimiter is None else delimiter,
        encoding="utf-8" if encoding is None else encoding,
        time_zone=time_zone or "UTC",
    )
    if time_zone is None:
        problems.append("time_zone: is missing; name the zone that the export was set up with")
    if own_account is not None:
        problems.append('own_account: is for kind = "archive"; an export has a column for the direction')
    problems = csv_format.problems() + problems
    if problems:
        raise ConfigError(problems)
    return CsvExport(name, path, csv_format, settle_seconds=settle_seconds)


def _not_of_archives(preset: str | None, given: list[str]) -> list[str]:
    problems = [f'{key}: is for kind = "csv-export"; the format of an archive is known' for key in given]
    if preset is None:
        problems.append(f"preset: is missing; the presets of archives are {', '.join(ARCHIVES)}")
    elif preset not in ARCHIVES:
        problems.append(f"preset: is not known for archives; they are {', '.join(ARCHIVES)}")
    return problems


def _unknown_kind(kind: str) -> str:
    if kind in LATER_KINDS:
        return f'kind: "{kind}" is not part of this version; have the exports put into a folder and use "csv-export"'
    return f"kind: is not known; the kinds of this version are {', '.join(KINDS)}"


def _base_format(preset: str | None, columns: Mapping[str, str] | None, private_when: Match | None) -> CsvFormat:
    if (preset is None) == (columns is None):
        raise ConfigError(["preset: give either preset or columns"])
    if preset is not None:
        if preset in ARCHIVES:
            raise ConfigError([f'preset: {preset} is for kind = "archive"'])
        if preset not in PRESETS:
            raise ConfigError([f"preset: is not known; the presets are {', '.join(PRESETS)}"])
        return PRESETS[preset]
    mapped = dict(columns or {})
    if private_when is None and "message_type" not in mapped:
        raise ConfigError(["private_when: is missing; say which rows are private, or map the column message_type"])
    private, public = matches_by_words(mapped.get("message_type", ""))
    # A column that somebody named on purpose has to be there: a slip in its name must not pass as a missing column.
    return CsvFormat(columns=mapped, required=frozenset(mapped), private_when=private, public_when=public)


def _visibility(
    base: CsvFormat,
    private_when: Match | None,
    public_when: Match | None,
) -> tuple[ColumnMatch, ColumnMatch | None]:
    """Replace the two tests together: whoever says what is private has said that the rest is public."""
    if private_when is None:
        return base.private_when, base.public_when if public_when is None else _match(public_when)
    return _match(private_when), None if public_when is None else _match(public_when)


def _match(given: Match) -> ColumnMatch:
    return ColumnMatch("".join(_texts(given, "column")), _texts(given, "equals"), _texts(given, "contains"))


def _texts(given: Match, key: str) -> tuple[str, ...]:
    value = given.get(key, ())
    return (value,) if isinstance(value, str) else tuple(value)
