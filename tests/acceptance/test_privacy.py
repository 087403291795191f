"""Nothing personal that is not needed: marked values go in by every way there is, and are looked for everywhere.

What may be found: the identifier of a registered message, in the register until the purge; the organisation's own
attributes of a class of messages (network, channel, direction, type); names of files; and what an operator wrote, in
the tables for that. Contacts, conversations, names and texts are nowhere, in no form that could be recognised.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from retention.logs import LEVEL
from tests.acceptance.desk import ask
from tests.acceptance.watched import HEADER, SECOND_SOURCE, Watched, drop_everything, put
from tests.anchor_kit import host
from tests.kit import Office
from tests.mail_server import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def watched(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Give an office that tells people of everything; nothing that they are told may have a mark in it."""
    monkeypatch.setenv(LEVEL, "debug")
    with host(lambda _: (200, {}, b"")) as people:
        channel = table(name="people", kind="webhook", url=people.url, ahead="P400D")
        watched = Watched(Office(tmp_path, database_url, source=SECOND_SOURCE + channel).found())
        yield watched
    assert people.asked
    assert [watched.marks.kinds_in(body) for _, body in people.asked if watched.marks.kinds_in(body)] == []


def test_what_comes_in_by_exports_is_kept_nowhere_but_where_it_must(watched: Watched) -> None:
    drop_everything(watched)
    marks = watched.marks
    watched.do("ingest", code=3)
    watched.do("ingest", "--format", "json")
    watched.do("findings", "list", "--all", "--format", "json")
    told = watched.do("findings", "list").out
    for expected in ("column Message ID: is empty", "lacks the column", "two times of receipt", "not a zip archive"):
        assert expected in told
    watched.do("status", code=5)
    watched.do("notify", "--dry-run", code=0)
    watched.do("notify", "--format", "json", code=0)
    watched.do("check")
    watched.search()
    found = marks.kinds_in_tables(watched.office.url)
    assert {("message id", "message.message_key"), ("network", "message_class.network")} <= found, "marks are seen"
    watched.do("explain", marks.of_kind("message id")[0])
    watched.do("purge", "--dry-run", shows=["network"])
    watched.office.now += timedelta(days=200)
    watched.do("purge", "--dry-run", "--list", shows=["message id"])
    watched.do("run", "--format", "json", shows=["network"], code=0)
    for command in (("audit", "export"), ("audit", "export", "--format", "csv"), ("run",), ("status",)):
        watched.do(*command, shows=["network"])
    watched.do("audit", "export", "--output", str(watched.office.folder / "deletion-log.jsonl"))
    watched.search()
    _after_the_purge(watched)


def _after_the_purge(watched: Watched) -> None:
    """Look once more, now that nothing may be left: also in landing folders and quarantine."""
    for left in watched.office.landing.glob("*.txt"):
        left.unlink()
    assert [path for path in watched.office.landing.rglob("*") if path.is_file()] == []
    columns = {column for kind, column in watched.marks.kinds_in_tables(watched.office.url) if kind == "message id"}
    assert columns <= {"upstream_item.message_id"}, "only an open order names what was purged"
    left_over = {kind for kind, _ in watched.marks.kinds_in_files([watched.office.folder])}
    assert left_over <= {
        "network",
        "channel",
        "direction",
        "message type",
        "file name",
        "remark",
        "owner",
        "message id",
    }


def test_what_operators_type_is_kept_in_its_own_tables_and_identifiers_nowhere(watched: Watched) -> None:
    put(watched.office.landing, watched.name(".csv"), watched.export(HEADER, [watched.row(), watched.row(), ["short"]]))
    watched.do("ingest", code=3)
    marks = watched.marks
    words = (
        "--kind",
        "sar",
        "--review-on",
        "2026-12-24",
        "--reason",
        marks.new("remark"),
        "--owner",
        marks.new("owner"),
    )
    for option, kind in (("--message", "message id"), ("--conversation", "conversation"), ("--contact", "contact")):
        watched.do("hold", "place", *words, option, marks.of_kind(kind)[0], option, marks.new("typed"), code=0)
    places = ("--network", marks.of_kind("network")[0], "--channel", marks.new("channel"))
    watched.do("hold", "place", *words, *places, shows=["network", "channel"], code=0)
    watched.do("hold", "place", *words, "--contact", marks.new("typed"), "--network", " ", code=2)
    listed = watched.do("hold", "list", shows=["remark", "owner", "network", "channel"]).out
    assert marks.of_kind("remark")[0] in listed
    watched.do("hold", "release", "1", "--reason", marks.new("remark"), code=0)
    watched.do("hold", "release", "77", "--reason", marks.new("lost remark"), code=2)
    assert "hold 2 (sar)" in watched.do("notify", "--dry-run", code=0).out
    watched.do("notify", code=0)
    watched.do("hold", "list", "--all", "--format", "json", shows=["remark", "owner", "network", "channel"])
    watched.do("findings", "resolve", "1", "--reason", marks.new("remark"), code=0)
    watched.do("findings", "resolve", "99", "--reason", marks.new("lost remark"), code=2)
    watched.do("explain", marks.new("typed"), code=0)
    watched.do("explain", marks.of_kind("message id")[0], "--format", "json", code=0)
    watched.do("scan-residue", marks.new("typed"), code=0)
    watched.do("scan-residue", marks.of_kind("message id")[0])
    watched.office.now += timedelta(days=200)
    digest = watched.do("purge", "--dry-run", shows=["network"]).out.split()[11]
    watched.do("purge", "--plan", digest, "--reason", marks.new("remark"), shows=["network"])
    watched.do("status", shows=["network"])
    watched.do("run", shows=["network"])
    for form in ("jsonl", "csv"):
        watched.do("audit", "export", "--format", form, shows=["network"], code=0)
    watched.search()


def test_a_slip_on_the_command_line_or_in_the_configuration_is_not_repeated(watched: Watched) -> None:
    new = watched.marks.new
    put(watched.second_landing, "refused.csv", watched.export([new("refused")], [[new("refused")]]))
    for wrong in (
        ("explain", new("typed"), new("typed")),
        ("hold", "release", new("typed"), "--reason", new("typed")),
        ("hold", "place", "--kind", new("typed"), "--reason", new("typed"), "--review-on", new("typed")),
        ("purge", "--plan", new("typed"), "--reason", new("typed")),
        ("purge", "--reason", new("typed")),
        ("ingest", "--source", new("typed"), "a.csv"),
        ("status", "--format", new("typed")),
        ("audit", "export", "--run", new("typed")),
        ("ingest", "--source", "hootsuite-inbox", str(watched.second_landing / "refused.csv")),
    ):
        assert watched.do(*wrong).code in {1, 2, 3}
    watched.look(ask(new("typed")), code=2)
    watched.look(ask("hold", new("typed")), code=2)
    text = watched.office.config.read_text(encoding="utf-8")
    for old in ("sqlite:///", "postgresql://", '"P3M"', '"Europe/London"', '"csv-export"', '"hootsuite-inbox"', "= 10"):
        if old in text:
            quote = '"' if old.startswith('"') else ""
            watched.office.config.write_text(text.replace(old, f"{quote}{new('configured')}{quote}"), encoding="utf-8")
            watched.do("check", code=2)
    watched.office.configure()
    watched.do("notify", code=0)
    watched.search()
