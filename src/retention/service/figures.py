"""A few figures of the service itself, as Prometheus reads them: counts and states, and never who or what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def figures(*, leads: bool, calls: Mapping[str, int]) -> str:
    """Spell whether this service leads, and the calls by what became of them."""
    lines = [
        "# HELP retention_serve_leads Whether this service does the jobs.",
        "# TYPE retention_serve_leads gauge",
        f"retention_serve_leads {int(leads)}",
        "# HELP retention_serve_calls_total Calls of webhooks by what became of them.",
        "# TYPE retention_serve_calls_total counter",
        *(f'retention_serve_calls_total{{outcome="{outcome}"}} {count}' for outcome, count in calls.items()),
    ]
    return "\n".join(lines) + "\n"
