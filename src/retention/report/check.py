"""Look at what the configuration names outside the database: can sources be read and anchors be used?"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from retention.errors import AnchorError
from retention.model import Period
from retention.notice.promise import promise_of
from retention.notify.catalog import build_channel
from retention.policy.words import say_period
from retention.settings.notify import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retention.anchors.interface import Anchor
    from retention.policy.schedule import Schedule
    from retention.report.log_standing import LogStanding
    from retention.settings import NoticeSettings, NotifySettings, SourceSettings
    from retention.settings.schema import UpstreamSettings


def say_anchors(anchors: Sequence[Anchor]) -> list[str]:
    """Give one line for each anchor, and one where there is none."""
    if not anchors:
        return [
            "The audit log has NO anchor: nothing leaves this database, so a restore or a rewriting would not show."
        ]
    lines = [
        f"  {anchor.name}: {anchor.kind}, {anchor.place}{'; a purge stops where it fails' if anchor.required else ''}"
        for anchor in anchors
    ]
    return ["Signed checkpoints of the audit log go to:", *lines]


def inspect_anchors(anchors: Sequence[Anchor]) -> list[str]:
    """Give one line for each anchor that cannot be used, as far as this can be seen from here."""
    problems = []
    for anchor in anchors:
        try:
            anchor.inspect()
        except AnchorError as error:
            problems.append(str(error))
    return problems


def inspect_outside(anchors: Sequence[Anchor], channels: Iterable[NotifySettings]) -> list[str]:
    """Give one line for each place outside the database that cannot be used: anchors, and channels to people."""
    return [*inspect_anchors(anchors), *inspect_channels(channels)]


def say_channels(channels: Iterable[NotifySettings]) -> list[str]:
    """Say who is told when the promise is at risk."""
    lines = []
    for one in channels:
        [(host, port)] = one.hosts
        every = "everything" if len(one.about) == len(KINDS) else ", ".join(one.about)
        lines.append(f"Told by {one.kind} ({one.name}, by {host} port {port}): {every}.")
    return lines or ["NOBODY is told when the promise is at risk: the configuration has no [[notify]]."]


def inspect_channels(channels: Iterable[NotifySettings]) -> list[str]:
    """Give one line for each channel that cannot be used, as far as this can be seen from here."""
    found = ((one.name, build_channel(one).problem()) for one in channels)
    return [f"notify {name}: {why}" for name, why in found if why is not None]


def say_notice(schedule: Schedule, notice: NoticeSettings | None) -> list[str]:
    """Give the words that the privacy notice must have, where the configuration says who makes the promise.

    Raises:
        UsageError: the rules cannot be told apart by the public.

    """
    return (
        [] if notice is None else [f"The privacy notice must say: {' '.join(promise_of(schedule, notice).sentences)}"]
    )


def inspect_log(log: LogStanding) -> list[str]:
    """Give one line where triggers of the audit log are gone."""
    if log.triggers is None:
        return []
    return [f"audit log: {log.triggers}; find out who did that, and put them back with: retention init"]


def say_powers(kind: str, *, can_alter: bool) -> str:
    """Say whether this user could alter the audit log, and what there is against it."""
    if not can_alter:
        return "This database user can add to the audit log and cannot alter it."
    if kind == "sqlite":
        return "Whoever may write the database file can alter the audit log; checkpoints kept elsewhere show it."
    return "This database user can alter the audit log; two roles prevent that: retention init --print-grants"


_CALLED = "each purge has the interface delete them, and calls again in later runs where that failed"
_NOTHING = "nothing is ordered, and nothing will be known of them"


def say_upstream(sources: Iterable[SourceSettings], upstream: UpstreamSettings) -> list[str]:
    """Say for each source what becomes of the copies that it keeps itself, and when its silence is told."""
    order, keep = say_period(upstream.order_time), say_period(upstream.keep_time)
    people = "one person" if upstream.attestations == 1 else "two people"
    ordered = (
        f"each purge issues an order to delete them within {order}, which {people} must attest and a later export "
        f"must show; identifiers for that are kept for {keep} at most"
    )
    lines = []
    for source in sources:
        if source.messages_of:
            lines.append(f"Copies of what {source.name} tells of are those of {source.messages_of}.")
        else:
            what = {"order": ordered, "api": _CALLED}.get(source.upstream, _NOTHING)
            lines.append(f"Copies that {source.name} keeps itself: {what}.")
            if source.is_webhook and source.upstream == "order":
                lines.append("Events show nothing of them; name the source of their exports as messages_of.")
        if source.expect_every:
            lines.append(f"It is silent when nothing arrives for {say_period(Period.parse(source.expect_every))}.")
    return lines


def inspect_sources(sources: Iterable[SourceSettings]) -> list[str]:
    """Give one line for each landing folder of sources of files that cannot be used, with what to do."""
    problems = []
    for source in sources:
        path = source.folder
        if not path.is_dir():
            problems.append(
                f"source {source.name}: {path} is not a folder; make it with: mkdir -p {shlex.quote(str(path))}"
            )
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            problems.append(
                f"source {source.name}: {path} cannot be read and written by this user; "
                "both are needed, because ingested files are disposed of"
            )
    return problems
