"""How a status and an explanation are told to people."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from retention.policy.words import say_count
from retention.report.upstream import calls_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.report.explain import Explanation
    from retention.report.status import Status

_WORDS = {"kept": "The promise is kept.", "at_risk": "The promise is AT RISK.", "broken": "The promise is BROKEN."}

_REFUSALS = {
    "refused": "not signed as agreed (401)",
    "stale": "too old or ahead (401)",
    "unreadable": "not understood (400)",
    "not_json": "not JSON (415)",
    "too_large": "too large (413)",
    "busy": "not in time (503)",
}


def status_as_text(status: Status) -> list[str]:
    """Give a status, the answer first."""
    oldest, there = status.oldest_received_on or "none", status.upstream
    reviews = say_count(status.holds["reviews_overdue"], "review")
    entries = say_count(status.log["size"], "entry")
    lines = [
        _WORDS[status.promise],
        *(f"  - {reason}" for reason in status.reasons),
        f"  now                 {status.now}",
        f"  registered          {say_count(status.registered, 'message')}, the oldest received on {oldest}",
        f"  due                 {status.due}, overdue {status.overdue}, held {status.held}",
        f"  next due on         {status.next_due_on or 'nothing is registered'}",
        f"  holds               {status.holds['active']} active, {reviews} overdue",
        f"  at the source       {there['ordered']} ordered to go, {there['overdue']} late, {there['present']} present",
        *(f"  at {call['source']:<16} {calls_as_text(call)}" for call in status.upstream_calls),
        f"  findings            {status.findings['open']} open",
        f"  audit log           {entries}: {status.log['standing']}",
    ]
    if waiting := status.inbox["waiting"]:
        wait = f"{say_count(waiting, 'event')} {'waits' if waiting == 1 else 'wait'}"
        lines.append(f"  inbox               {wait} since {status.inbox['since']}")
    lines += [_refused(source, calls) for source, calls in groupby(status.inbox["refused"], itemgetter("source"))]
    if status.plans["approvals"]:
        lines.append(f"  plans               {_plans(status.plans)}")
    lines += [_source(one) for one in status.sources]
    lines += [_job(one) for one in status.jobs]
    if (run := status.last_run) is None:
        lines.append("  last purge          none yet")
    else:
        lines.append(
            f"  last purge          run {run['id']} {run['state']} {run['finished_at'] or run['started_at']}, "
            f"{run['disposed']} disposed of"
        )
    return lines


def _plans(plans: dict[str, Any]) -> str:
    approved = f"{plans['approved'][:15]} is approved" if plans["approved"] else "none is approved"
    if plans["waiting"] is None:
        return f"{approved}, none waits"
    return f"{approved}, {plans['waiting'][:15]} waits with {plans['people']} of {plans['approvals']} approvals"


def _source(one: dict[str, Any]) -> str:
    if one["last_import_at"] is None:
        return f"  {one['source']:<19} nothing was ingested yet"
    if one["covered_through"] is None:  # events, or exports without a message and without a window in their names
        return f"  {one['source']:<19} last ingested {one['last_import_at']}{', SILENT' * one['silent']}"
    behind = f"{one['lag_days']} day{'' if one['lag_days'] == 1 else 's'} ago"
    return f"  {one['source']:<19} covered through {one['covered_through']}, {behind}{', SILENT' * one['silent']}"


def _refused(source: str, calls: Iterable[dict[str, Any]]) -> str:
    known = list(calls)
    told = ", ".join(f"{one['calls']} {_REFUSALS.get(one['outcome'], one['outcome'])}" for one in known)
    return f"  calls of {source:<10} turned away: {told}; the last {max(one['last_at'] for one in known)}"


def _job(one: dict[str, Any]) -> str:
    ended = f"{one['outcome']} {one['ended_at'] or 'since ' + one['started_at']}"
    failed = f", {say_count(one['failures'], 'failure')} in a row" if one["failures"] else ""
    following = f", next {one['next_due_at']}" if one["next_due_at"] and one["outcome"] != "running" else ""
    return f"  job {one['job']:<15} {ended}{failed}{following}{', STUCK' * bool(one['stuck'])}"


def explanation_as_text(explanation: Explanation) -> list[str]:
    """Give an explanation, its working one line a step."""
    states = {
        "registered": "This message is registered.",
        "disposed": "This message was disposed of.",
        "unknown": "This message is not known here.",
    }
    return [states[explanation.state], *(f"  {step}" for step in explanation.working)]
