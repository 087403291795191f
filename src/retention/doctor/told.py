"""What the doctor found, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from retention.policy.words import say_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retention.doctor.line import Line


def as_text(lines: Sequence[Line]) -> str:
    """Write a table of all lines, under each fix and note the command to run, and count them in the end."""
    groups = max((len(line.group) for line in lines), default=0)
    subjects = min(28, max((len(line.subject) for line in lines), default=0))
    told = []
    for line in lines:
        detail = _visible(line.detail.replace("\n", "; "))
        told.append(f"{line.state.upper():<4}  {line.group:<{groups}}  {line.subject:<{subjects}}  {detail}")
        if line.command is not None:
            told.append(f"      {'':<{groups}}  $ {_visible(line.command)}")
    counted = Counter(line.state for line in lines)
    fixes, notes = counted["fix"], counted["note"]
    head = f"{fixes} to fix" if fixes else "Nothing to fix"
    return "\n".join([*told, "", f"{head}, {say_count(notes, 'note')}, {counted['ok']} in order."])


def _visible(text: str) -> str:
    """Let no name of a file steer the terminal of whoever asks, or be more than it can show."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def as_json(lines: Sequence[Line], said: Sequence[str]) -> dict[str, Any]:
    """Give all lines, how many of each kind there are, and what ``check`` says of the configuration."""
    counted = Counter(line.state for line in lines)
    return {
        "in_order": not counted["fix"],
        "fixes": counted["fix"],
        "notes": counted["note"],
        "said": list(said),
        "lines": [line.as_json() for line in lines],
    }
