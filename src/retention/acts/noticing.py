"""Check the published notice: the file or address of the configuration, or one that a person names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.errors import RetentionError, UsageError
from retention.notice.compare import Comparison, compare
from retention.notice.fetch import fetch
from retention.notice.promise import promise_of
from retention.notice.reading import read_notice
from retention.notice.told import compare_file, tell, tell_unread

if TYPE_CHECKING:
    from datetime import datetime

    from retention.context import Context
    from retention.notice.promise import Promise


class Checked(NamedTuple):
    """A notice that was compared: its place as findings name it, and whether it was a trial, which leaves none."""

    place: str
    comparison: Comparison
    trial: bool


def check_notice(context: Context, named: str | None, now: datetime, *, draft: bool = False) -> list[Checked]:
    """Compare one notice, or those that the configuration names.

    Findings speak of what was published, and the configuration says what that is: a ``draft``, or whatever else a
    person names, leaves none.

    Raises:
        UsageError: nothing to compare is named, or an address of another host than the configured one.
        RetentionError: a notice cannot be read; a finding says so where the configuration names it.

    """
    notice = context.settings.notice
    promise = promise_of(context.schedule, notice)
    configured = [str(place) for place in (notice.file, notice.url) if place] if notice else []
    if named is None and not configured:
        msg = "name the published notice, or put it into the configuration: [notice] file or url"
        raise UsageError(msg)
    chosen = configured if named is None else [named]
    trials = [draft or not any(_is_same(one, other) for other in configured) for one in chosen]
    return [_checked(context, promise, one, now, trial=trial) for one, trial in zip(chosen, trials, strict=True)]


def _is_address(named: str) -> bool:
    return named.casefold().startswith(("http://", "https://"))


def _is_same(named: str, configured: str) -> bool:
    if _is_address(named) or _is_address(configured):
        return named == configured
    return Path(named).resolve() == Path(configured).resolve()


def _checked(context: Context, promise: Promise, named: str, now: datetime, *, trial: bool) -> Checked:
    is_address = _is_address(named)
    place = named.partition("?")[0] if is_address else Path(named).name
    try:
        found = _compare_page(context, promise, named) if is_address else compare_file(promise, Path(named))
    except UsageError:
        raise
    except RetentionError as error:
        if not trial:
            with context.database.write() as connection:
                tell_unread(connection, place, str(error), now)
        msg = f"{named}: {error}"
        raise RetentionError(msg) from None
    if not trial:
        with context.database.write() as connection:
            tell(connection, place, found, now)
    return Checked(place, found, trial)


def _compare_page(context: Context, promise: Promise, url: str) -> Comparison:
    notice = context.settings.notice
    page = fetch(url, notice.url if notice else None)
    return compare(promise, read_notice(page.body, kind=page.kind, charset=page.charset))
