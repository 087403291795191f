"""How a guess about a file is told: as a piece of configuration in which everything else is a comment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retention.policy.words import say_count

if TYPE_CHECKING:
    from retention.sources.sniff import Guess

_ORDER = (
    *("name", "kind", "preset", "path", "time_zone", "own_account", "columns", "private_when", "public_when"),
    *("date_format", "delimiter", "encoding", "after_ingest", "upstream"),
)


def sniffed_as_toml(guess: Guess) -> list[str]:
    """Give a table ``[[source]]`` to paste or append, with what was found and what a person must say as comments."""
    return [
        *_comment(_reading(guess)),
        *_comment(_values(guess)),
        *_comment([f"QUESTION {number}: {_ended(text)}" for number, text in enumerate(guess.questions, start=1)]),
        *_block(guess),
        *_comment(["Next: put this into a configuration, answer the questions, and try it in a drill first:", *_NEXT]),
    ]


_NEXT = (
    "  retention init --drill      # makes the folder, and a new database that is a drill for ever",
    "  retention check             # says the schedule back, and what is not in order",
    "  retention ingest COPY       # of FILE: it is disposed of as after_ingest says; --source NAME where several",
    "  retention purge --dry-run   # what would go, and why",
    "Then the same with a database of its own and without --drill.",
)


def sniffed_as_json(guess: Guess) -> dict[str, Any]:
    """Give everything that was found out as plain values."""
    counts = guess.counts
    return {
        "source": {key: guess.settings[key] for key in _ORDER if key in guess.settings},
        "notes": guess.notes,
        "certain": sorted(guess.certain),
        "questions": [_ended(text) for text in guess.questions],
        "open": sorted(guess.open),
        "columns": guess.columns,
        "class_values": guess.class_values,
        "counts": {
            "messages": counts.messages,
            "private": counts.private,
            "public": counts.public,
            "problems": counts.problems,
            "reasons": counts.reasons,
            "refused": counts.refused,
        },
        "toml": "\n".join(_block(guess)) + "\n",
    }


def _reading(guess: Guess) -> list[str]:
    counts = guess.counts
    told = f"{counts.private} private and {counts.public} public"
    if "private_when" in guess.open:
        told = "private ones and public ones not told apart yet"
    kinds = f"{say_count(counts.messages, 'message')}, {told}"
    lines = [f"Read so, the file has {kinds}, and {say_count(counts.problems, 'row')} that cannot be used."]
    lines += [f"  {_reason(reason, number)}" for reason, number in counts.reasons.items()]
    return [*lines, f"It is REFUSED: it {counts.refused}."] if counts.refused else lines


def _reason(reason: str, number: int) -> str:
    if reason.startswith("line "):
        return f"{reason}."
    if reason.startswith("the column "):
        return f"{say_count(number, 'row')} in which {reason}."
    return f"{say_count(number, 'time')}: it {reason}."


def _ended(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def _values(guess: Guess) -> list[str]:
    found = [f"  {field}: {', '.join(values)}" for field, values in guess.class_values.items() if values]
    shown = ["Values of columns that tell kinds of messages apart; no other values are ever shown:", *found]
    return shown if found else []


def _block(guess: Guess) -> list[str]:
    return ["[[source]]", *(_line(guess, key) for key in _ORDER if key in guess.settings or key in guess.open)]


def _line(guess: Guess, key: str) -> str:
    if key in guess.open:
        return f"# {_plain(guess.open[key])}"
    return f"{key} = {_toml(guess.settings[key])}  # {_plain(_note(guess, key))}"


def _note(guess: Guess, key: str) -> str:
    note = guess.notes[key]
    if key in {"name", "path"}:
        return f"yours to choose: {note}"
    return note if key in guess.certain or note.startswith(("ASKED", "guessed", "yours")) else f"guessed: {note}"


def _toml(value: Any) -> str:  # noqa: ANN401 - a text, a list of texts or a table of both
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # A JSON text is a TOML text but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(lines: list[str]) -> list[str]:
    return [f"# {_plain(line)}" for line in lines]


def _plain(text: str) -> str:
    """Keep a comment on its line, whatever a column is called."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
