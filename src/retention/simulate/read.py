"""Read what a call asks for, and refuse what the contract does not allow, in the REST API's words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from retention.simulate.answers import Code, RefusedError, invalid
from retention.simulate.clock import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

_ZULU = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z", re.ASCII)
_WANTED = object()
_YEARS = range(1970, 2201)
_MOST = 10**12


def text(fields: Mapping[str, Any], name: str, default: object = _WANTED) -> str:
    """Read a text."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        msg = f"{name} is a text" + (" and is required" if value is _WANTED else "")
        raise invalid(msg)
    return value


def integer(fields: Mapping[str, Any], name: str, default: object = _WANTED) -> int:
    """Read a whole number, at least 0."""
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        msg = f"{name} is a whole number" + (" and is required" if value is _WANTED else "")
        raise invalid(msg)
    return value


def bounded(fields: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """Read a whole number from 0 to ``most``."""
    value = integer(fields, name, default)
    if value > most:
        msg = f"{name} is at most {most}"
        raise invalid(msg)
    return value


def number(fields: Mapping[str, Any], name: str, default: object = _WANTED) -> float:
    """Read a number."""
    value = fields.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _MOST:
        msg = f"{name} is a number" + (" and is required" if value is _WANTED else "")
        raise invalid(msg)
    return float(value)


def flag(fields: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Read true or false."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        msg = f"{name} is true or false"
        raise invalid(msg)
    return value


def texts(fields: Mapping[str, Any], name: str) -> list[str]:
    """Read a list of texts; without it, the list is empty."""
    value = fields.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"{name} is a list of texts"
        raise invalid(msg)
    return value


def instant(value: str, name: str) -> datetime:
    """Read an ISO 8601 instant with its offset."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in _YEARS:
        msg = f"{name} is an ISO 8601 time with its offset, such as 2020-01-01T00:00:00Z"
        raise invalid(msg)
    return found.astimezone(UTC)


def zulu_ms(value: object, name: str) -> int:
    """Read an instant that must be spelled in UTC and end with Z, as milliseconds since 1970-01-01T00:00:00Z."""
    if not isinstance(value, str) or not _ZULU.fullmatch(value):
        msg = f"{name} is an ISO 8601 time in UTC that ends with Z"
        raise invalid(msg)
    return milliseconds(instant(value, name))


def decimal(value: str, name: str) -> int:
    """Read a whole number of a query."""
    if not (value.isascii() and value.isdigit()):
        msg = f"{name} is a whole number"
        raise RefusedError(HTTPStatus.BAD_REQUEST, Code.INVALID, msg)
    return int(value)
