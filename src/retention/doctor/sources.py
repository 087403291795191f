"""Sources that ask or are sent something: what each needs of this machine, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.configured import INTERFACE, configured_account, configured_pickup
from retention.doctor.line import About
from retention.errors import ConfigError
from retention.service.needs import NO_LIBRARY, lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.doctor.case import Case
    from retention.doctor.line import Line


def ways_in(case: Case) -> Iterator[Line]:
    """Look whether every source has what it needs to fetch, to ask or to be sent its messages."""
    station = case.station
    for source in case.settings.source:
        about = About("sources", source.name)
        try:
            pickup = None if source.is_webhook else configured_pickup(source)
            why = configured_account(case.settings, source).lacking() if source.kind == INTERFACE else None
        except ConfigError:
            continue  # said of the configuration
        if pickup is not None:
            problems = pickup.problems()
            for problem in problems:
                yield about.fix(problem, station.ours("check"))
            if not problems:
                yield about.ok(pickup.describe())
        elif why is not None:
            yield about.fix(why, station.ours("source", "authorize", source.name))
        elif not source.is_webhook:
            yield about.ok(f"{source.kind}, read from its folder")
    problems = [problem for problem in lacking(case.settings) if problem != NO_LIBRARY]
    for problem in problems:
        yield About("sources", "webhooks").fix(problem, station.ours("check"))
    if case.settings.webhooks and not problems:
        yield About("sources", "webhooks").ok("address and secrets are there")
