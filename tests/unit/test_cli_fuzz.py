"""Any arguments in any order: a documented exit code, and nothing that nobody foresaw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.cli.app import retention
from tests.acceptance.desk import CODES, ask
from tests.depth import tries
from tests.kit import Office, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The demo works for a minute and makes a folder, simulator and service run until they are ended, and deploy as root
# writes into the system; everything else is tried.
UNTRIED = {"demo", "simulate", "serve", "deploy"}
NAMES = [name for name in retention.list_commands(click.Context(retention)) if name not in UNTRIED]


def _leaves() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in NAMES:
        command = retention.get_command(click.Context(retention), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from (((name, part), leaf) for part, leaf in command.commands.items())
        else:
            yield (name,), command


LEAVES = dict(_leaves())
VALUES = st.one_of(
    st.sampled_from(
        [
            *(
                "1",
                "0",
                "-1",
                "9" * 30,
                "message-1",
                "a.csv",
                "nowhere/b.csv",
                ".",
                "",
                " ",
                "-",
                "--",
                "=",
                "\udcff",
                "sha256:",
            ),
            *("json", "text", "csv", "jsonl", "foi", "2027-01-01", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00Z"),
            *(
                "2026-11-22T12:00:00+00:00",
                "1970-01-01T00:00:00Z",
                "9000-12-31T23:59:59Z",
                "2026-11-22",
                "%s",
                "{0}",
                "\\",
            ),
            *(
                "hootsuite-inbox",
                "é" * 3000,
                "💥",
                "'; DROP TABLE message; --",
                "\n",
                "\t",
                "retention.toml",
                "ids.txt",
            ),
        ]
    ),
    st.text(st.characters(exclude_characters="\0/", exclude_categories=()), max_size=12),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """One drill for all examples: what one leaves behind is more for the next one to stumble over."""
    folder = tmp_path_factory.mktemp("fuzz")
    office = Office(folder, f"sqlite:///{folder / 'register.db'}").found()
    (folder / "ids.txt").write_bytes(b"message-1\n\xff\n")
    for name in ("a.csv", "b.csv"):
        office.drop(name, [row("message-1"), row("message-2", "2026-08-01 09:00:00"), row("")])
    return office


FITTING = {
    "now": st.sampled_from(["2026-11-22T12:00:00+00:00", "2027-06-01T00:00:00Z", "9000-12-31T23:59:59Z"]),
    "config": st.just("retention.toml"),
    "review_on": st.dates().map(str),
    "received_from": st.dates().map(str),
    "received_through": st.dates().map(str),
    "number": st.integers(1, 3).map(str),
    "run_id": st.integers(0, 3).map(str),
    "identifiers": st.sampled_from(["message-1", "nothing-1"]),
    "paths": st.sampled_from(["landing/a.csv", "landing/b.csv", "."]),
    "listed": st.sampled_from(["ids.txt", "-"]),
    "output": st.sampled_from(["out.jsonl", "none/out.jsonl"]),
    "source": st.just("hootsuite-inbox"),
}


def _value(parameter: click.Parameter) -> st.SearchStrategy[str]:
    """Mostly give what a parameter wants, else it would seldom come to work."""
    fitting = FITTING.get(parameter.name or "", st.just("some text"))
    if isinstance(parameter.type, click.Choice):
        fitting = st.sampled_from(list(parameter.type.choices))
    return st.integers(0, 7).flatmap(lambda dice: fitting if dice else VALUES)


@st.composite
def argument_lists(draw: st.DrawFn) -> list[str]:
    path = draw(st.sampled_from(sorted(LEAVES)))
    words: list[str] = []
    for parameter in draw(st.permutations(LEAVES[path].params)):
        if not parameter.required and draw(st.integers(0, 2)):
            continue
        if isinstance(parameter, click.Option):
            words.append(draw(st.sampled_from(parameter.opts)))
        if not (isinstance(parameter, click.Option) and parameter.is_flag):
            words.append(draw(_value(parameter)))
    if draw(st.integers(0, 9)) == 0:
        words += draw(st.lists(VALUES, max_size=2))
    return [*path, *words]


def _check(office: Office, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(office.folder)
    monkeypatch.setenv("RETENTION_CONFIG", str(office.config))
    answer = ask(*arguments)
    assert answer.code in CODES
    assert "not foreseen" not in answer.err
    assert "Traceback" not in answer.out + answer.err
    if answer.code in {1, 2, 10, 11, 12}:
        assert answer.err.strip()
    if "--format" in arguments and answer.out.startswith("{\n"):
        json.loads(answer.out)


@settings(max_examples=tries(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=argument_lists())
def test_no_arguments_lead_to_an_error_that_nobody_foresaw(
    office: Office, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    _check(office, arguments, monkeypatch)


@settings(max_examples=tries(50), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.lists(st.one_of(st.sampled_from(NAMES), VALUES), max_size=5))
def test_random_words_lead_to_no_error_that_nobody_foresaw(
    office: Office, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    _check(office, arguments, monkeypatch)


def test_the_office_still_verifies_after_all_that(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask("audit", "verify", "--config", str(office.config)).code == 0
