"""A status as Prometheus reads it, for its textfile collector and for ``/metrics``.

Every metric is a gauge in base units. An instant that never was is 0, so that "too long ago" holds of it as well. The
only labels that the configuration or the program makes up are the names of sources and the kinds of open findings;
nothing here grows with the messages, and nothing is personal. Ages hold at ``retention_status_timestamp_seconds``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from retention import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from retention.report.status import Status

Sample = tuple["Mapping[str, str]", int]
STATES = ("kept", "at_risk", "broken")


class Metric(NamedTuple):
    """One metric: its name, what it says, and how its samples are read from a status."""

    name: str
    says: str
    samples: Callable[[Status], Iterable[Sample]]


def _one(read: Callable[[Status], int]) -> Callable[[Status], Iterable[Sample]]:
    return lambda status: [({}, read(status))]


def _of_sources(key: str) -> Callable[[Status], Iterable[Sample]]:
    """Read a number of each source; one that is not known has no sample."""
    return lambda status: [({"source": one["source"]}, int(one[key])) for one in status.sources if one[key] is not None]


def _instant(text: str | None) -> int:
    return 0 if text is None else int(datetime.fromisoformat(text).timestamp())


def _last_import(status: Status) -> int:
    return max((_instant(one["last_import_at"]) for one in status.sources), default=0)


METRICS = (
    Metric(
        "retention_promise_state",
        "Whether the promise is in this state: 1 for the one state that it is in.",
        lambda status: [({"state": state}, int(status.promise == state)) for state in STATES],
    ),
    Metric(
        "retention_status_timestamp_seconds",
        "When this was read.",
        _one(lambda status: _instant(status.now)),
    ),
    Metric("retention_drill", "Whether the database is a drill.", _one(lambda status: int(status.drill))),
    Metric("retention_messages_registered", "Messages in the register.", _one(lambda status: status.registered)),
    Metric("retention_messages_due", "Messages past their period and not held.", _one(lambda status: status.due)),
    Metric(
        "retention_messages_overdue",
        "Messages due for longer than the grace and not held; above 0 the promise is broken.",
        _one(lambda status: status.overdue),
    ),
    Metric(
        "retention_messages_held", "Messages past their period that a hold keeps.", _one(lambda status: status.held)
    ),
    Metric(
        "retention_overdue_oldest_seconds",
        "For how long the oldest overdue message has been due and not held; 0 where nothing is overdue.",
        _one(lambda status: status.oldest_overdue_seconds),
    ),
    Metric(
        "retention_next_due_timestamp_seconds",
        "When something becomes due next; 0 where nothing does.",
        _one(lambda status: _instant(status.next_due_at)),
    ),
    Metric(
        "retention_messages_coming_due",
        "Messages that become due within the coming seven days and are not held.",
        _one(lambda status: sum(day["due"] for day in status.coming)),
    ),
    Metric(
        "retention_last_complete_run_timestamp_seconds",
        "When a purge last came to its end; 0 where none ever did.",
        _one(lambda status: _instant(status.last_complete_run_at)),
    ),
    Metric(
        "retention_last_success_timestamp_seconds",
        "When each activity last succeeded; 0 where it never did.",
        lambda status: [
            ({"activity": "ingest"}, _last_import(status)),
            ({"activity": "purge"}, _instant(status.last_complete_run_at)),
            ({"activity": "verify"}, _instant(status.log["verified_at"])),
        ],
    ),
    Metric(
        "retention_messages_unapproved",
        "Messages due and in no plan that the people who must approve it have; 0 where nobody must.",
        _one(lambda status: status.plans["unapproved"]),
    ),
    Metric(
        "retention_belt_closed",
        "Whether a safety belt has stopped the purge and nobody has passed it.",
        _one(lambda status: int("belt-closed" in status.findings["by_kind"])),
    ),
    Metric(
        "retention_upstream_ordered_messages",
        "Messages that people were ordered to delete at a source, without an outcome yet.",
        _one(lambda status: status.upstream["ordered"]),
    ),
    Metric(
        "retention_upstream_overdue_messages",
        "Those of them whose order is overdue.",
        _one(lambda status: status.upstream["overdue"]),
    ),
    Metric(
        "retention_upstream_present_messages",
        "Messages past their period that an export shows to be at a source still.",
        _one(lambda status: status.upstream["present"]),
    ),
    Metric(
        "retention_findings_open",
        "Findings that wait for a person, by kind; a kind of which none is open has no sample.",
        lambda status: [({"kind": kind}, count) for kind, count in status.findings["by_kind"].items()],
    ),
    Metric("retention_holds_active", "Holds that are in force.", _one(lambda status: status.holds["active"])),
    Metric(
        "retention_holds_review_overdue",
        "Holds whose review date has passed.",
        _one(lambda status: status.holds["reviews_overdue"]),
    ),
    Metric("retention_log_entries", "Entries of the audit log.", _one(lambda status: status.log["size"])),
    Metric(
        "retention_log_in_order",
        "Whether nothing is known to be wrong with the audit log, as its ends, anchors and triggers show.",
        _one(lambda status: int(status.log["in_order"])),
    ),
    Metric(
        "retention_log_verified_timestamp_seconds",
        "When the whole audit log was last read and verified; 0 where it never was, or was found wrong since.",
        _one(lambda status: _instant(status.log["verified_at"])),
    ),
    Metric(
        "retention_webhook_events_waiting",
        "Events of webhooks that are not registered yet.",
        _one(lambda status: status.inbox["waiting"]),
    ),
    Metric(
        "retention_source_last_import_timestamp_seconds",
        "When something was last ingested from a source; 0 where nothing ever was.",
        lambda status: [({"source": one["source"]}, _instant(one["last_import_at"])) for one in status.sources],
    ),
    Metric(
        "retention_source_lag_seconds",
        "How far behind the end of what a source's exports cover is; no sample where they cover nothing yet.",
        _of_sources("lag_seconds"),
    ),
    Metric(
        "retention_source_silent",
        "Whether nothing came from a source for longer than the configuration expects.",
        _of_sources("silent"),
    ),
    Metric(
        "retention_serve_job_failures",
        "How often each job of the service failed in a row; no sample where none was ever begun.",
        lambda status: [({"activity": one["job"]}, one["failures"]) for one in status.jobs],
    ),
    Metric(
        "retention_serve_job_stuck",
        "Whether a job that is switched on fails again and again or is late, and no run has done its work since.",
        lambda status: [({"activity": one["job"]}, int(one["stuck"] is not None)) for one in status.jobs],
    ),
    Metric("retention_build_info", "The version of the program.", lambda _: [({"version": __version__}, 1)]),
)


def as_prometheus(status: Status) -> str:
    """Spell a status in the text exposition format; that of a drill says so in a comment as well."""
    lines = ["# DRILL: what follows is an exercise."] if status.drill else []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.says}", f"# TYPE {metric.name} gauge"]
        lines += [f"{metric.name}{_labels(labels)} {value}" for labels, value in metric.samples(status)]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
