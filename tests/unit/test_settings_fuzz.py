"""Whatever stands in the configuration: it is read, or it is refused with reasons. Nothing else ever happens."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from retention.cli.frame import settings_of
from retention.errors import ConfigError
from retention.policy.schedule import configured_schedule
from retention.policy.words import say_schedule
from retention.resources import resource
from tests.acceptance.desk import ask

if TYPE_CHECKING:
    import random

DAY = date(2026, 11, 30)
EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
# With every optional table and key, so that there is something to damage everywhere.
LONG = EXAMPLE.replace(
    'preset = "hootsuite-inbox"',
    'columns = { message_id = "id", received_at = "at", contact = "who" }\ndate_format = "%d/%m/%Y %H:%M"\n'
    'private_when = { column = "kind", equals = ["dm"], contains = ["private"] }\ndelimiter = ";"\nencoding = "cp1252"',
).replace("[purge]", '[[schedule.rule]]\nname = "rest"\nkeep = "P90D"\nauthority = "none"\n[purge]\napprovals = 0')
PIECES = [
    *(
        "=",
        "[",
        "]",
        "[[",
        "{",
        "}",
        '"',
        "'",
        '"""',
        "#",
        "\n",
        ".",
        ",",
        "\\",
        "\\u0000",
        "\x00",
        "\ufeff",
        "é",
        "\u2028",
    ),
    *("true", "nan", "-inf", "0", "-1", "1e999", "9" * 400, "2026-11-22", "25:00:00", "P3M", "P0D", "%", "%Z", "utf-7"),
    *(
        "keep",
        "source",
        "schedule.rule",
        "columns",
        "str",
        "../../x",
        "/dev/null",
        "postgresql://[",
        "sqlite:///",
        "CON",
    ),
]


def is_refused(text: bytes) -> bool:
    """Load a configuration as every command does; tell whether it was refused, which must be with reasons."""
    handle, name = tempfile.mkstemp(suffix=".toml")
    problems: list[str] = []
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        settings = settings_of(Path(name))
        say_schedule(configured_schedule(settings.schedule), DAY)
    except ConfigError as error:
        problems = error.problems or ["no reason"]
    finally:
        Path(name).unlink()
    assert all(problem.startswith(name) for problem in problems)
    return bool(problems)


def quoted(text: str) -> str:
    """Spell a text in TOML, every character escaped."""
    return '"' + "".join(f"\\U{ord(one):08x}" for one in text) + '"'


@given(st.binary())
def test_random_bytes_are_refused_with_reasons(text: bytes) -> None:
    assert is_refused(text)


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.lists(st.sampled_from(PIECES), min_size=4, max_size=4))
def test_a_damaged_configuration_is_read_or_refused_with_reasons(
    rng: random.Random, damages: int, pieces: list[str]
) -> None:
    text = LONG
    for piece in pieces[:damages]:
        start = rng.randrange(len(text))
        end = start + rng.choice((0, 0, 1, 5, 40))
        text = text[:start] + piece + text[end:]
    is_refused(text.encode("utf-8", "surrogatepass"))


@given(
    st.sampled_from([line.split(" = ")[0] for line in LONG.splitlines() if " = " in line and not line.startswith("#")]),
    st.one_of(
        st.text().map(quoted),
        st.integers().map(str),
        st.floats().map(str),
        st.sampled_from(
            ["true", "[]", "{}", "[[]]", '["a", 1]', "{ a = { b = [] } }", "07:32:00", "1979-05-27T07:32:00Z"]
        ),
    ),
)
@example("keep", '"P99999D"')
@example("time_zone", '"leapseconds"')
@example("time_zone", '"\\u0000"')
@example("encoding", '"\\u0000"')
@example("date_format", '"%Y-%m-%d %H %"')
def test_a_value_of_any_type_is_read_or_refused_with_reasons(key: str, value: str) -> None:
    lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in LONG.splitlines()]
    is_refused("\n".join(lines).encode("utf-8", "replace"))


@given(st.randoms(use_true_random=False))
def test_the_command_line_answers_a_damaged_configuration_with_exit_2(rng: random.Random) -> None:
    text = bytearray(LONG.encode())
    for _ in range(20):
        text[rng.randrange(len(text))] = rng.randrange(256)
    handle, name = tempfile.mkstemp(suffix=".toml")
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    answer = ask("hold", "list", "--config", name)
    Path(name).unlink()
    assert answer.code in {2, 10}, answer.err
    assert answer.out == ""
    assert "not foreseen" not in answer.err
