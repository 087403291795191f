"""Types of single keys: each check says what to write and never repeats what was written."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from retention.model import Period

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"/[^\0]+|(udp|tcp)://[^\s/:@]+:[1-9][0-9]{0,4}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}|:[0-9A-Fa-f:.]+")
_URL = re.compile(r"sqlite:///.+|postgresql(\+psycopg)?://.+")


def _period(text: str) -> str:
    Period.parse(text)
    return text


def _days(text: str) -> str:
    if Period.parse(text).months:
        msg = "write a period of days or weeks here, for example P1D"
        raise ValueError(msg)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "is not an IANA time zone; write a name such as Europe/London"
        raise ValueError(msg) from None
    return name


def _codec(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        msg = "is not an encoding that Python knows; write for example utf-8, utf-16 or cp1252"
        raise ValueError(msg) from None
    return name


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = "write up to 64 small letters, digits, dots, dashes or underscores, the first a letter or digit"
        raise ValueError(msg)
    return name


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        msg = "write the server's name or address alone, for example sftp.example.org; the port has a key of its own"
        raise ValueError(msg)
    return name


def _user_name(name: str) -> str:
    if ":" in name or not name.isascii() or not name.isprintable():
        msg = "write visible ASCII characters without a colon"
        raise ValueError(msg)
    return name


def _remote_folder(folder: str) -> str:
    if not folder.startswith("/") or not folder.isprintable() or ".." in folder.split("/"):
        msg = "write the folder's whole path on the server, for example /export/message"
        raise ValueError(msg)
    return folder


def _url(url: str) -> str:
    _without_zero_byte(url)
    if not _URL.fullmatch(url):
        msg = "write sqlite:///PATH or postgresql://user@host/name"
        raise ValueError(msg)
    if not url.startswith("sqlite:"):
        try:
            parts = urlsplit(url)
            usable = parts.port != 0 and parts.netloc.count("@") <= 1
        except ValueError:
            usable = False
        if not usable:
            msg = "is not an address; write postgresql://user@host:5432/name, and an @ within a part as %40"
            raise ValueError(msg)
    return url


def _path(path: Path) -> Path:
    _without_zero_byte(str(path))
    return path


def _without_zero_byte(text: str) -> None:
    if "\0" in text:
        msg = "has a zero byte, which no file can have in its name"
        raise ValueError(msg)


def _address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        msg = "write the path of a socket such as /dev/log, or udp://HOST:PORT or tcp://HOST:PORT"
        raise ValueError(msg)
    return address


def _http(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in url or "#" in url or not url.isprintable() or " " in url:
        msg = "write an address such as https://host/path, without user name and password"
        raise ValueError(msg)
    return url


PeriodText = Annotated[str, AfterValidator(_period)]
DaysText = Annotated[str, AfterValidator(_days)]
ZoneName = Annotated[str, AfterValidator(_zone)]
CodecName = Annotated[str, AfterValidator(_codec)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
UserName = Annotated[Text, AfterValidator(_user_name)]
Values = Text | Annotated[list[Text], Field(min_length=1)]
FilePath = Annotated[Path, AfterValidator(_path)]
DatabaseUrl = Annotated[str, AfterValidator(_url)]
LogAddress = Annotated[str, AfterValidator(_address)]
HttpAddress = Annotated[str, AfterValidator(_http)]
HostName = Annotated[str, AfterValidator(_host)]
RemoteFolder = Annotated[str, AfterValidator(_remote_folder)]
