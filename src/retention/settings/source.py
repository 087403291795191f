"""The shape of a source's configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from retention.errors import ConfigError
from retention.model import Period
from retention.settings.fields import (
    CodecName,
    DaysText,
    FilePath,
    HostName,
    Name,
    RemoteFolder,
    Text,
    UserName,
    Values,
    ZoneName,
)
from retention.settings.table import Table, Wrong
from retention.settings.webhooks import WEBHOOK, wrong_of_webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ONE_YEAR = "P365D"
_NO_DELETE_CALL = (
    'upstream = "api" does not exist for exports: Hootsuite Inbox has no delete call; use "order" or "none"'
)

_SFTP_KEYS = ("host", "port", "user", "host_key", "sign_in", "key_file", "remote_folder", "after_fetch")
"""Keys of a source that is fetched from a server."""


def _wrong_of_sftp(given: Mapping[str, object]) -> Iterator[Wrong]:
    """Say what is wrong with the keys of a server: missing, or given to a source that is not fetched."""
    if given.get("kind") != "sftp":
        yield from (((key,), 'goes with kind = "sftp"') for key in _SFTP_KEYS if key in given)
        return
    yield from (((), f'kind "sftp" needs {key}') for key in ("host", "user", "host_key") if key not in given)
    if given.get("sign_in") == "password" and "key_file" in given:
        yield ("key_file",), 'goes with sign_in = "key"'


class ColumnSettings(Table):
    """The names of a CSV file's columns."""

    message_id: Text
    received_at: Text
    conversation_id: Text | None = None
    contact: Text | None = None
    network: Text | None = None
    channel: Text | None = None
    direction: Text | None = None
    message_type: Text | None = None


class WhenSettings(Table):
    """When a row counts as private: its column equals or contains one of these, whatever the case, or always."""

    column: Text
    equals: list[Text] = Field(default_factory=list)
    contains: list[Text] = Field(default_factory=list)
    any: Annotated[bool, Field(strict=True)] = False

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if not given.get("equals") and not given.get("contains") and not given.get("any"):
            yield (), "give equals = [...] or contains = [...], or any = true for every row"


class SourceSettings(Table):
    """One source of messages. What only one kind of source has is None where it is not given."""

    name: Name
    kind: Literal["csv-export", "archive", "sftp", "hootsuite-api", "hootsuite-webhook"]
    path: FilePath | None = None
    time_zone: ZoneName | None = None
    preset: Text | None = None
    columns: ColumnSettings | None = None
    private_when: WhenSettings | None = None
    public_when: WhenSettings | None = None
    date_format: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: CodecName | None = None
    own_account: Values | None = None
    settle_seconds: Annotated[float, Field(strict=True, ge=0, le=86400)] = 60.0
    after_ingest: Literal["delete", "keep-until-due"] = "delete"
    host: HostName | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 22
    user: Text | None = None
    host_key: Text | None = None
    sign_in: Literal["key", "password"] = "key"
    key_file: FilePath | None = None
    remote_folder: RemoteFolder = "/export/message"
    after_fetch: Literal["remove", "leave"] = "remove"
    url: Text | None = None
    client_id: Text | None = None
    grant: Literal["authorization_code", "member_app", "organization_app"] | None = None
    member_id: Text | None = None
    organization_id: Text | None = None
    redirect_uri: Text | None = None
    look_back: DaysText | None = None
    upstream: Literal["order", "api", "none"] = "order"
    expect_every: DaysText | None = None
    auth: Literal["signature", "basic"] = "signature"
    username: UserName | None = None
    messages_of: Name | None = None

    @property
    def is_webhook(self) -> bool:
        """Tell whether its messages are sent to us, and not in files."""
        return self.kind == WEBHOOK

    @property
    def folder(self) -> Path:
        """Where its files arrive.

        Raises:
            ConfigError: it is a webhook, whose messages are in no file.

        """
        if self.path is None:
            raise ConfigError([f'source {self.name}: kind = "{self.kind}" has no folder'])
        return self.path

    @property
    def identity(self) -> str:
        """Name the source whose identifiers its messages carry."""
        return self.messages_of or self.name

    @property
    def look_back_time(self) -> timedelta:
        """How far before now the first listing of an interface begins."""
        return timedelta(days=Period.parse(self.look_back or _ONE_YEAR).days)

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        kind = str(given.get("kind"))  # whatever was written there
        yield from wrong_of_webhook(given, cls.model_fields.keys())
        if kind != WEBHOOK:
            yield from _wrong_of_sftp(given)
        if kind != "hootsuite-api" and given.get("upstream") == "api":
            yield ("upstream",), _NO_DELETE_CALL
        if kind != WEBHOOK and "path" not in given:
            yield ("path",), "is missing"
        if kind in {"archive", "hootsuite-api", WEBHOOK}:
            return  # the room of sources knows which keys these have
        if "time_zone" not in given:
            yield ("time_zone",), "is missing"
        if ("preset" in given) == ("columns" in given):
            yield (), "give either preset or columns"
        if "columns" in given and "private_when" not in given:
            yield (), "columns need private_when, which says what counts as private"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the source's times as an object."""
        return ZoneInfo(self.time_zone or "UTC")  # archives say their times in UTC

    @property
    def expect_time(self) -> timedelta | None:
        """For how long nothing may arrive before somebody must look, or None where that is not watched."""
        return timedelta(days=Period.parse(self.expect_every).days) if self.expect_every else None
