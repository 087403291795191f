"""Every host that a configuration names is told, and nothing else; what is right of a wrong one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.settings.egress import ways_out
from retention.settings.load import load_partly

if TYPE_CHECKING:
    from pathlib import Path

BASE = """
[database]
url = "{url}"
[paths]
state = "var"
[schedule]
time_zone = "Europe/London"
[[schedule.rule]]
name = "all"
keep = "P3M"
authority = "the notice"
[[source]]
name = "export"
kind = "csv-export"
preset = "hootsuite-inbox"
path = "landing"
time_zone = "Europe/London"
"""
MORE = """
[notice]
organisation = "Office"
provider = "Hootsuite"
url = "https://www.example.org/privacy"
[[source]]
name = "server"
kind = "sftp"
preset = "hootsuite-inbox"
path = "fetched"
time_zone = "UTC"
host = "sftp.example.org"
port = 2222
user = "export"
host_key = "SHA256:x"
[[source]]
name = "api"
kind = "hootsuite-api"
path = "api"
url = "https://platform.example.org"
[[anchor]]
name = "log"
kind = "syslog"
address = "udp://192.0.2.9:514"
[[anchor]]
name = "here"
kind = "syslog"
address = "/dev/log"
[[anchor]]
name = "authority"
kind = "timestamp"
url = "http://tsa.example.org/tsr"
certificate = "tsa.pem"
[[notify]]
name = "office"
kind = "mail"
host = "mail.example.org"
from = "retention@example.org"
to = ["dpo@example.org"]
[[notify]]
name = "chat"
kind = "webhook"
url = "https://chat.example.org/in"
"""


def written(folder: Path, text: str, url: str = "sqlite:///register.db") -> Path:
    path = folder / "retention.toml"
    path.write_text(text.replace("{url}", url), encoding="utf-8")
    return path


def test_every_host_of_every_table_is_told(tmp_path: Path) -> None:
    part, problems = load_partly(written(tmp_path, BASE + MORE))
    assert problems == []
    ways = ways_out(part.settings)
    assert not any(way.by_people for way in ways)
    assert [tuple(way)[:3] for way in ways] == [
        ("source server", "sftp.example.org", 2222),
        ("source api", "platform.example.org", 443),
        ("anchor log", "192.0.2.9", 514),
        ("anchor here", "/dev/log", 0),
        ("anchor authority", "tsa.example.org", 80),
        ("notify office", "mail.example.org", 587),
        ("notify chat", "chat.example.org", 443),
        ("notice check", "www.example.org", 443),
    ]


def test_an_address_that_no_job_asks_is_asked_by_people_only(tmp_path: Path) -> None:
    part, problems = load_partly(written(tmp_path, BASE + MORE + '[serve.jobs]\nnotice = ""\n'))
    assert problems == []
    assert [way.purpose for way in ways_out(part.settings) if way.by_people] == ["notice check"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////var/lib/register.db", []),
        ("postgresql://me@db.example.org/r", [("db.example.org", 5432)]),
        ("postgresql://me:secret@db.example.org:6000/r", [("db.example.org", 6000)]),
        ("postgresql://me@[2001:db8::7]:6000/r", [("2001:db8::7", 6000)]),
        ("postgresql://me@/r?host=/run/postgresql", [("/run/postgresql", 5432)]),
        ("postgresql://me@/r", [("/run/postgresql", 5432)]),
        ("postgresql://me@/r?host=a.example,b.example&port=1,2", [("a.example", 1), ("b.example", 2)]),
    ],
)
def test_the_server_of_the_database_is_told(tmp_path: Path, url: str, told: list[tuple[str, int]]) -> None:
    part, problems = load_partly(written(tmp_path, BASE, url))
    assert problems == []
    assert [(way.host, way.port) for way in ways_out(part.settings)] == told


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('url = "{url}"', 'url = "mysql://x"', {"database"}),
        ("[paths]\nstate", "[paths]\nstat", {"paths"}),
        ('"Europe/London"\n[[schedule', '"Europe/Nowhere"\n[[schedule', {"schedule"}),
        ("[database]", "[purge]\nmax_share = 7\n[database]", {"purge"}),
        ("[database]", "[unheard]\nof = 1\n[database]", {"unheard"}),
        ('kind = "csv-export"', 'kind = "telegram"', {"source"}),
    ],
)
def test_what_is_right_is_kept_and_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, wrong: set[str]) -> None:
    part, problems = load_partly(written(tmp_path, BASE.replace(old, new)))
    assert problems
    assert part.wrong == wrong
    if "paths" not in wrong:
        assert part.settings.paths.state == tmp_path / "var"
    if "source" not in wrong:
        assert [source.name for source in part.settings.source] == ["export"]


def test_one_wrong_source_leaves_the_others(tmp_path: Path) -> None:
    part, problems = load_partly(written(tmp_path, BASE + MORE.replace('user = "export"\n', "")))
    assert len(problems) == 1
    assert part.wrong == set()
    assert [source.name for source in part.settings.source] == ["export", "api"]


@pytest.mark.parametrize("text", ["[database", "", 'source = "x"\nanchor = 1\npaths = []', "schedule = [[1], [2]]"])
def test_a_file_in_which_nothing_is_right_gives_stand_ins_only(tmp_path: Path, text: str) -> None:
    part, problems = load_partly(written(tmp_path, text))
    assert problems
    assert {"database", "paths", "schedule", "source"} <= part.wrong


def test_a_file_that_is_not_there_is_a_problem_and_no_error(tmp_path: Path) -> None:
    part, problems = load_partly(tmp_path / "nowhere.toml")
    assert len(problems) == 1
    assert "database" in part.wrong
