"""Instants of receipt, from the text of a file to whole seconds since 1970 in UTC.

The rule for local times, which a file gives without an offset: they are read in the zone that the source is
configured with. A time that occurs twice (clocks went back) means the earlier instant, so that a message is never
kept for longer than its period. A time that does not occur (clocks went forward) is taken with the offset that was
in force before the change. Times that carry an offset, ``Z``, ``UTC`` or ``GMT`` mean what they say,
and so do seconds or milliseconds since 1970 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention.sources.files.fields import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_YEAR = 1990
"""Earlier years are slips: there were no social media."""

LAST_YEAR = 2200
"""Later years are slips too. Whether a time lies in the future is for the import to judge, which knows the time."""

_FIELD = "received_at"
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ Tt]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)([.,][0-9]{1,9})?"
    r"\s?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE,
)
_DAY_ONLY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}")
_EPOCH_UNITS = {"epoch": 1, "epoch-ms": 1000}
_EPOCH_NAMES = {"epoch": "seconds", "epoch-ms": "milliseconds"}
_NUMBER = re.compile(r"([0-9]{1,15})(?:\.[0-9]{1,9})?")
_BARE_NUMBER = re.compile(r"[0-9]{9,14}(?:\.[0-9]+)?")
_HOUR_CHARACTERS = len("2026-01-31T23")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are compared with it before their offset is known
_SECOND = timedelta(seconds=1)
_FIRST_SECOND = (datetime(FIRST_YEAR, 1, 1) - _EPOCH) // _SECOND  # noqa: DTZ001 - as _EPOCH
_END_SECOND = (datetime(LAST_YEAR + 1, 1, 1) - _EPOCH) // _SECOND  # noqa: DTZ001 - as _EPOCH

MAX_REMEMBERED = 100_000
"""Hours, or in a configured format times, that a clock keeps in mind before it begins anew."""


class LocalClock:
    """Reads the times of one source. Remembers what it has worked out, so one object serves one item after another."""

    def __init__(self, zone: ZoneInfo, date_format: str | None = None) -> None:
        """Take the source's zone and, where its times are not ISO 8601, their ``strptime`` format, or ``epoch``."""
        self._zone = zone
        self._date_format = date_format
        # Seconds at the start of each local hour in which the offset does not change, by the text of the hour.
        self._hours: dict[str, int] = {}
        # Seconds since the start of the hour, by the rest of the text.
        self._rests: dict[str, int] = {}
        self._whole: dict[str, int] = {}

    def reader(self) -> Callable[[str], int]:
        """Give the function that turns text into seconds, or raises FieldError with a reason without the text."""
        if self._date_format in _EPOCH_UNITS:
            return self._read_epoch
        return self._read_iso if self._date_format is None else self._read_formatted

    @property
    def remembered(self) -> int:
        """How many hours or whole times are kept in mind."""
        return len(self._hours) + len(self._whole)

    def local_seconds(self, local: datetime) -> int:
        """Turn a naive local time into seconds since 1970 in UTC, by the rule in the header."""
        offset = local.replace(tzinfo=self._zone).utcoffset() or timedelta()
        return (local - _EPOCH - offset) // _SECOND

    def _read_iso(self, text: str) -> int:
        start = self._hours.get(text[:_HOUR_CHARACTERS])
        if start is not None:
            rest = self._rests.get(text[_HOUR_CHARACTERS:])
            if rest is not None:
                return start + rest
        return self._work_out(text.strip())

    def _work_out(self, text: str) -> int:
        match = _ISO.fullmatch(text)
        if match is None:
            raise FieldError(_FIELD, _why_not_iso(text))
        day, clock, fraction, zone = match.groups()
        offset = "" if zone is None else "+00:00" if zone[0] not in "+-" else zone
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
        except ValueError:
            raise FieldError(_FIELD, "is not a possible date and time") from None
        seconds = self._seconds(moment)
        if offset == "" and fraction is None:
            self._remember(text, moment)
        return seconds

    def _remember(self, text: str, local: datetime) -> None:
        hour = local.replace(minute=0, second=0)
        start, last = self.local_seconds(hour), self.local_seconds(hour.replace(minute=59, second=59))
        if last - start != 3599:  # noqa: PLR2004 - the offset changes within this hour: it stays on the slow path
            return
        if len(self._hours) >= MAX_REMEMBERED:
            self._hours.clear()
        self._hours[text[:_HOUR_CHARACTERS]] = start
        self._rests[text[_HOUR_CHARACTERS:]] = 60 * local.minute + local.second

    def _read_formatted(self, text: str) -> int:
        seconds = self._whole.get(text)
        if seconds is not None:
            return seconds
        trimmed = text.strip()
        if not trimmed:
            raise FieldError(_FIELD, "is empty")
        try:
            moment = datetime.strptime(trimmed, self._date_format or "")  # noqa: DTZ007 - %z decides
        except ValueError:
            raise FieldError(_FIELD, "does not have the form that date_format gives") from None
        seconds = self._seconds(moment)
        if len(self._whole) >= MAX_REMEMBERED:
            self._whole.clear()
        self._whole[text] = seconds
        return seconds

    def _read_epoch(self, text: str) -> int:
        form = self._date_format or ""
        trimmed = text.strip()
        if not trimmed:
            raise FieldError(_FIELD, "is empty")
        match = _NUMBER.fullmatch(trimmed)
        if match is None:
            raise FieldError(_FIELD, f'is not {_EPOCH_NAMES[form]} since 1970, as date_format = "{form}" says')
        seconds = int(match[1]) // _EPOCH_UNITS[form]
        if not _FIRST_SECOND <= seconds < _END_SECOND:
            reason = f"has a year outside {FIRST_YEAR} to {LAST_YEAR} when read as {_EPOCH_NAMES[form]} since 1970"
            raise FieldError(_FIELD, reason)
        return seconds

    def _seconds(self, moment: datetime) -> int:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise FieldError(_FIELD, f"has a year outside {FIRST_YEAR} to {LAST_YEAR}")
        if moment.tzinfo is None:
            return self.local_seconds(moment)
        return (moment.astimezone(UTC).replace(tzinfo=None) - _EPOCH) // _SECOND


def _why_not_iso(text: str) -> str:
    if not text:
        return "is empty"
    if _DAY_ONLY.fullmatch(text):
        # In another zone the day could be the wrong one.
        return "has no time of day"
    if _BARE_NUMBER.fullmatch(text):
        return (
            "is a bare number, not a date and time; for seconds since 1970 set "
            'date_format = "epoch", for milliseconds "epoch-ms"'
        )
    return "is not a date and time in ISO 8601; if the file writes times another way, set date_format"


def zone_problem(name: str) -> str | None:
    """Say why a name is not an IANA time zone, or None where it is one."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "is not an IANA time zone; write a name such as Europe/London"
    return None


def date_format_problem(date_format: str) -> str | None:
    """Say why a ``strptime`` format cannot give one certain instant, or None where it can, as epochs do."""
    if date_format in _EPOCH_UNITS:
        return None
    codes = set(re.findall(r"%(.)", date_format.replace("%%", ""), re.DOTALL))
    if codes & set("cxXZ"):
        return "%c, %x and %X depend on the machine and %Z is read without its offset; spell the parts out, with %z"
    day = codes & set("yY") and ("j" in codes or ("d" in codes and codes & set("mbB")))
    if not day:
        return "must give year, month and day, for example %d/%m/%Y %H:%M"
    if "H" not in codes and not {"I", "p"} <= codes:
        return "must give the time of day, for example %d/%m/%Y %H:%M"
    sample = datetime(2026, 11, 22, 18, 16, 31, tzinfo=UTC)
    try:
        datetime.strptime(sample.strftime(date_format), date_format)  # noqa: DTZ007 - only tried
    except (ValueError, re.error):  # the latter where a part stands twice
        return "is not a format that Python's strptime reads"
    return None
