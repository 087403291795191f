"""Every kind of source and every preset by name: the only file that knows them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from retention.errors import ConfigError
from retention.sources.archive import ARCHIVES, Archive
from retention.sources.csv_export import PRESETS, ColumnMatch, CsvExport, CsvFormat, matches_by_words
from retention.sources.csv_export.source import WANTED
from retention.sources.hootsuite_api.account import GRANTS, Account
from retention.sources.hootsuite_api.source import PageSets
from retention.sources.sftp import Account as SftpAccount
from retention.sources.sftp import SftpPickup, parse_host_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from retention.sources.hootsuite_api.client import Client
    from retention.sources.interface import Listing, Pickup, Remover, Source

    Match = Mapping[str, str | Sequence[str] | bool]

KINDS = ("csv-export", "archive", "sftp", "hootsuite-api")
"""Kinds of sources whose messages come in files; those of a webhook come from the inbox, see ``ingest/inbox.py``."""

__all__ = [
    "ARCHIVES",
    "GRANTS",
    "KINDS",
    "PRESETS",
    "Account",
    "build_account",
    "build_listing",
    "build_pickup",
    "build_remover",
    "build_source",
]


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

    ``private_when`` and ``public_when`` hold ``column`` and ``equals`` or ``contains``, a text or a list of texts, or
    ``any``.
    Raises ConfigError, each of whose problems begins with the key at fault.
    """
    if kind not in KINDS:
        raise ConfigError([f"kind: is not known; the kinds of this version are {', '.join(KINDS)}"])
    problems = [] if 0 <= settle_seconds < float("inf") else ["settle_seconds: must be zero or more"]
    table = {
        "time_zone": time_zone,
        "columns": columns,
        "private_when": private_when,
        "public_when": public_when,
        "date_format": date_format,
        "delimiter": delimiter,
        "encoding": encoding,
    }
    if kind == "hootsuite-api":
        given = {**table, "preset": preset, "own_account": own_account}
        _require(problems + [f"{key}: is for files; what the interface gives is known" for key in _set(given)])
        return PageSets(name, path)
    if kind == "archive":
        _require(problems + _not_of_archives(preset, _set(table)))
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
    _require(csv_format.problems() + problems)
    # What a pickup puts into its landing folder is whole: it has settled on the server, and arrives by a rename.
    return CsvExport(name, path, csv_format, settle_seconds=0 if kind == "sftp" else settle_seconds)


def _require(problems: list[str]) -> None:
    if problems:
        raise ConfigError(problems)


def build_pickup(  # noqa: PLR0913 - one argument for each key of the configuration
    *,
    name: str,
    path: Path,
    host: str,
    user: str,
    host_key: str,
    port: int = 22,
    sign_in: Literal["key", "password"] = "key",
    key_file: Path | None = None,
    remote_folder: str = "/export/message",
    after_fetch: Literal["remove", "leave"] = "remove",
    settle_seconds: float = 60.0,
) -> Pickup:
    """Make the pickup of a source of kind ``sftp``. Nothing is connected and no secret is read yet.

    Raises ConfigError, whose problem begins with the key at fault.
    """
    try:
        pinned = parse_host_key(host_key)
    except ValueError as error:
        raise ConfigError([f"host_key: {error}"]) from None
    return SftpPickup(
        SftpAccount(name, host, port, user, pinned, sign_in, key_file),
        remote_folder,
        path,
        suffixes=WANTED.suffixes,
        settle_seconds=settle_seconds,
        removes=after_fetch == "remove",
    )


def build_account(
    *,
    name: str,
    state: Path,
    url: str | None,
    client_id: str | None,
    grant: str | None,
    member_id: str | None = None,
    organization_id: str | None = None,
    redirect_uri: str | None = None,
) -> Account:
    """Make the account with which a source of kind ``hootsuite-api`` asks. Nothing is connected.

    Raises ConfigError, each of whose problems begins with the key at fault.
    """
    needed = {"url": url, "client_id": client_id, "grant": grant}
    missing = [f'{key}: is missing; kind = "hootsuite-api" needs it' for key, value in needed.items() if value is None]
    if missing or url is None or client_id is None:
        raise ConfigError(missing)
    known = next((one for one in GRANTS if one == grant), GRANTS[0])
    account = Account(name, url, client_id, known, state, member_id, organization_id, redirect_uri)
    if problems := account.problems():
        raise ConfigError(problems)
    return account


def build_client(account: Account) -> Client:
    """Make a client that asks Hootsuite. Nothing is connected and no secret is read yet."""
    from retention.sources.hootsuite_api.client import Client  # noqa: PLC0415 - the way to a network is slow to load

    return Client(account)


def build_listing(account: Account, path: Path, *, look_back: timedelta) -> Listing:
    """Make the listing of a source of kind ``hootsuite-api``."""
    from retention.sources.hootsuite_api.listing import MessageListing  # noqa: PLC0415 - as above

    return MessageListing(build_client(account), path, look_back=look_back)


def build_remover(account: Account) -> Remover:
    """Make what deletes messages of a source of kind ``hootsuite-api``."""
    from retention.sources.hootsuite_api.remover import MessageRemover  # noqa: PLC0415 - as above

    return MessageRemover(build_client(account))


def _set(keys: Mapping[str, object]) -> list[str]:
    return [key for key, value in keys.items() if value is not None]


def _not_of_archives(preset: str | None, given: list[str]) -> list[str]:
    problems = [f'{key}: is for kind = "csv-export"; the format of an archive is known' for key in given]
    if preset is None:
        problems.append(f"preset: is missing; the presets of archives are {', '.join(ARCHIVES)}")
    elif preset not in ARCHIVES:
        problems.append(f"preset: is not known for archives; they are {', '.join(ARCHIVES)}")
    return problems


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
    return ColumnMatch(
        "".join(_texts(given, "column")), _texts(given, "equals"), _texts(given, "contains"), given.get("any") is True
    )


def _texts(given: Match, key: str) -> tuple[str, ...]:
    value = given.get(key, ())
    if isinstance(value, bool):
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
