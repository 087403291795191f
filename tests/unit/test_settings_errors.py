"""A configuration that cannot be used says all that is wrong with it, and where; never what was written there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from retention.configured import check_sources
from retention.errors import ConfigError, Exit
from retention.resources import resource
from retention.settings import Settings, find_config, load_settings
from retention.settings import load as loading

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
SECRET = "qzsecretvalue"  # noqa: S105  # opens nothing


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "retention.toml"


def loaded(config: Path, text: str | bytes) -> Settings:
    config.parent.mkdir(exist_ok=True)
    config.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = load_settings(config)
    check_sources(config, settings)
    return settings


def problems_of(config: Path, text: str | bytes) -> list[str]:
    """Give the problems without the name of the file, which each of them begins with."""
    with pytest.raises(ConfigError) as caught:
        loaded(config, text)
    assert caught.value.exit_code == Exit.USAGE
    assert str(caught.value).splitlines() == caught.value.problems
    told = [problem.removeprefix(f"{config}:") for problem in caught.value.problems]
    assert all(problem.startswith(f"{config}:") for problem in caught.value.problems)
    return told


def changed(*changes: tuple[str, str]) -> str:
    text = EXAMPLE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, part: str) -> int:
    [number] = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith(part)]
    return number


def test_the_example_is_a_configuration_with_nothing_wrong(config: Path) -> None:
    settings = loaded(config, EXAMPLE)
    assert settings.schedule.rule[0].keep == "P3M"
    assert settings.source[0].name == "hootsuite-inbox"


# One wrong value each: the key, how its line begins, the wrong line, and a word of the reason.
WRONG = [
    ("database.url", "url = ", f'url = "mysql://{SECRET}@host/db"', "write sqlite:///PATH or postgresql://"),
    ("database.url", "url = ", f'url = "postgresql://u:{SECRET}@host:{SECRET}/db"', "is not an address"),
    ("database.url", "url = ", f'url = "postgresql://u:p@{SECRET}@host/db"', "%40"),
    ("database.url", "url = ", f'url = "sqlite:///{SECRET}\\u0000"', "zero byte"),
    ("paths.state", "state = ", f'state = "{SECRET}\\u0000"', "zero byte"),
    ("paths.anchor", "anchor = ", "anchor = 7", "path"),
    ("schedule.time_zone", "time_zone = ", f'time_zone = "Europe/{SECRET}"', "IANA time zone"),
    ("schedule.rule.1.keep", "keep = ", f'keep = "{SECRET}"', "write an ISO 8601 period"),
    ("schedule.rule.1.keep", "keep = ", 'keep = "P0D"', "longer than zero"),
    ("schedule.rule.1.keep", "keep = ", 'keep = "P200Y"', "100 years"),
    ("schedule.rule.1.name", 'name = "direct', f'name = "{SECRET} {SECRET}"', "small letters"),
    ("schedule.rule.1.authority", "authority = ", 'authority = " "', "at least 1 character"),
    ("source.1.kind", "kind = ", f'kind = "{SECRET}"', "'csv-export'"),
    ("source.1.upstream", "upstream = ", 'upstream = "api"', "no delete call"),
    ("source.1.after_ingest", "after_ingest = ", f'after_ingest = "{SECRET}"', "'delete'"),
    ("source.1.path", "path = ", f'path = ["{SECRET}"]', "path"),
    ("source.1.preset", "preset = ", f'preset = "{SECRET}"', "the presets are hootsuite-inbox"),
    ("purge.max_share", "max_share = ", "max_share = 1.5", "less than or equal to 1"),
    ("purge.max_share", "max_share = ", "max_share = true", "valid number"),
    ("purge.batch_size", "batch_size = ", "batch_size = 10.0", "valid integer"),
    ("purge.max_share", "max_share = ", "max_share = nan", "less than or equal to 1"),
    ("purge.max_count", "max_count = ", f'max_count = "{SECRET}"', "valid integer"),
    ("purge.batch_size", "batch_size = ", "batch_size = 0", "greater than or equal to 1"),
    ("purge.grace", "grace = ", 'grace = "P1M"', "days or weeks"),
    ("purge.max_clock_jump", "max_clock_jump = ", "max_clock_jump = 7", "valid string"),
    ("upstream.order_period", "order_period = ", 'order_period = "P1M"', "days or weeks"),
    ("upstream.attestations", "attestations = ", "attestations = 3", "less than or equal to 2"),
    ("upstream.keep_ids", "keep_ids = ", 'keep_ids = "x"', "write an ISO 8601 period"),
]


@pytest.mark.parametrize(("key", "begins", "wrong", "reason"), WRONG)
def test_a_wrong_value_is_told_by_file_line_key_and_reason_without_the_value(
    config: Path, key: str, begins: str, wrong: str, reason: str
) -> None:
    lines = EXAMPLE.split("\n")
    number = next(number for number, line in enumerate(lines) if line.startswith(begins))
    lines[number] = wrong
    [problem] = problems_of(config, "\n".join(lines))
    assert problem.startswith(f"{number + 1}: {key}: ")
    assert reason in problem
    assert SECRET not in problem


def test_everything_that_is_wrong_is_told_at_once(config: Path) -> None:
    rule = '[[schedule.rule]]\nname = "direct-messages"\nkeep = "soon"\n\n[[source]]'
    text = changed(
        ("[[source]]", rule),
        ('kind = "csv-export"', 'kind = "carrier-pigeon"'),
        ('preset = "hootsuite-inbox"', 'columns = { message_id = "id" }'),
        ("max_share = 0.10 ", "max_share = 7 "),
        ('grace = "P1D"', 'grace = "P1D"\nsurprise = 1'),
        ("approvals = 0 ", "approvals = 3 "),
    )
    told = problems_of(config, text)
    assert [problem.split(": ")[1] for problem in sorted(told, key=lambda one: int(one.split(":")[0]))] == [
        "schedule.rule.2.authority",
        "schedule.rule.2.name",  # two rules have the same name
        "schedule.rule.2.keep",
        "source.1",  # columns need private_when
        "source.1.kind",
        "source.1.columns.received_at",
        "purge.max_share",
        "purge.approvals",
        "purge.surprise",
    ]
    places = {problem.split(": ")[1]: int(problem.split(":")[0]) for problem in told}
    assert places["schedule.rule.2.keep"] == line_of(text, 'keep = "soon"')
    assert places["schedule.rule.2.authority"] == line_of(text, 'keep = "soon"') - 2, "a missing key: its table"
    assert places["source.1.columns.received_at"] == line_of(text, "columns = {")
    assert places["purge.surprise"] == line_of(text, "surprise")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[database]", "colour = 1\n[database]", "colour"),
        ("[paths]", "[paths]\ncolour = 1", "paths.colour"),
        ("[purge]", "[purge.colour]\nx = 1\n[purge]", "purge.colour"),
        (
            "[[source]]",
            '[[schedule.rule]]\nname = "x"\nkeep = "P1D"\nauthority = "a"\ncolour = 1\n[[source]]',
            "schedule.rule.2.colour",
        ),
        (
            'match = { visibility = "private" }',
            'match = { visibility = "private", colour = 1 }',
            "schedule.rule.1.match.colour",
        ),
    ],
)
def test_an_unknown_key_is_an_error_at_every_depth(config: Path, old: str, new: str, key: str) -> None:
    [problem] = problems_of(config, changed((old, new)))
    assert problem.endswith(f": {key}: is not a known key")


@pytest.mark.parametrize("table", ["[database]", "[paths]", "[schedule]", "[[source]]"])
def test_a_missing_table_is_named(config: Path, table: str) -> None:
    name = table.strip("[]")
    text = EXAMPLE.replace(table, "[[other]]" if table == "[[source]]" else "[other]")
    told = problems_of(config, text.replace("[[schedule.rule]]", "[[another]]"))
    assert f" {name}: is missing" in told


def test_a_problem_of_a_source_names_the_source_that_has_it(config: Path) -> None:
    second = (
        f'[[source]]\nname = "other"\nkind = "csv-export"\npath = "x"\ntime_zone = "UTC"\ndelimiter = "a"\n'
        f'date_format = "%d {SECRET}"\nencoding = "rot13"\n'
        '[source.columns]\nmessage_id = "id"\nreceived_at = "at"\n'
        '[source.private_when]\ncolumn = "kind"\nequals = ["dm"]\n[purge]'
    )
    text = changed(("[purge]", second))
    told = problems_of(config, text)
    keys = [problem.split(": ")[1] for problem in told]
    assert sorted(keys) == ["source.2.date_format", "source.2.delimiter", "source.2.encoding"]
    number = line_of(text, 'encoding = "rot13"')
    assert any(problem.startswith(f"{number}: source.2.encoding: ") for problem in told)
    assert SECRET not in "\n".join(told)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe[\x00d\x00",
        b"[database\n",
        b"url = postgresql://u:qzsecretvalue@host/db\n",
        b'url = "qzsecretvalue\n',
        b"when = 2026-02-30\n",
        b"number = " + b"1" * 5000,
        b"deep = " + b"[" * 20000,
        b"[a]\n[a]\n",
        b"\x00",
        b"",
    ],
    ids=["utf-16", "open header", "no quotes", "open text", "no day", "long number", "deep", "twice", "zero", "empty"],
)
def test_what_is_not_toml_or_empty_is_told_without_its_content(config: Path, text: bytes) -> None:
    told = problems_of(config, text)
    assert told
    assert "qzsecretvalue" not in "".join(told)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(config: Path) -> None:
    plain = loaded(config, EXAMPLE)
    marked = loaded(config, b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert marked == plain


def test_relative_paths_are_relative_to_the_file_and_absolute_ones_stay(config: Path, tmp_path: Path) -> None:
    settings = loaded(config, EXAMPLE)
    base = config.parent
    assert settings.database.url == f"sqlite:///{base / 'var/register.db'}"
    assert settings.paths.state == base / "var"
    assert settings.paths.anchor == base / "var/anchor/checkpoints.log"
    assert settings.source[0].path == base / "var/landing"
    elsewhere = loaded(
        config,
        changed(
            ('url = "sqlite:///var', f'url = "sqlite:///{tmp_path}/db'),
            ('state = "var"', f'state = "{tmp_path}/keys"'),
            ('path = "var/landing"', f'path = "{tmp_path}/in"'),
        ),
    )
    assert elsewhere.database.url == f"sqlite:///{tmp_path}/db/register.db"
    assert elsewhere.paths.state == tmp_path / "keys"
    assert elsewhere.source[0].path == tmp_path / "in"


def test_a_server_needs_no_port_and_may_be_reached_by_a_socket_folder(config: Path) -> None:
    for url in ("postgresql://user@host/db", "postgresql://user@[::1]:5432/db", "postgresql://user@/db?host=/run/pg"):
        assert loaded(config, changed(("sqlite:///var/register.db", url))).database.url == url


def test_a_link_to_the_file_means_the_folder_of_the_file_itself(config: Path, tmp_path: Path) -> None:
    loaded(config, EXAMPLE)
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    assert load_settings(link).paths.state == config.parent / "var"


def test_a_default_place_that_is_hidden_from_us_is_named_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    # A name that is too long gives another error than "not there", as a folder without permission does.
    monkeypatch.setattr(loading, "DEFAULT_PLACES", (tmp_path / "none.toml", tmp_path / ("n" * 300)))
    assert find_config(None).name == "n" * 300
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(find_config(None))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read everything")
def test_a_file_that_may_not_be_read_is_told(config: Path) -> None:
    loaded(config, EXAMPLE)
    config.chmod(0)
    with pytest.raises(ConfigError, match="Permission denied"):
        load_settings(config)


def test_a_second_source_of_the_same_name_or_folder_is_named_by_its_own_line(config: Path) -> None:
    second = '[[source]]\nname = "hootsuite-inbox"\nkind = "archive"\npreset = "x-archive"\npath = "var/landing/"\n\n'
    text = changed(("[purge]", f"{second}[purge]"))
    line = text[: text.index(second)].count("\n") + 1
    gone = "an export taken by one of them would be gone for the other"
    assert problems_of(config, text) == [
        f"{line + 1}: source.2.name: two sources have the same name; this is the second",
        f"{line + 4}: source.2.path: two sources read the same folder; {gone}",
    ]


def test_what_a_kind_of_source_lacks_or_does_not_know_is_named_by_its_key(config: Path) -> None:
    text = changed(('kind = "csv-export"', 'kind = "archive"'), ('preset = "hootsuite-inbox"', ""))
    assert [problem.split(": ")[1] for problem in problems_of(config, text)] == [
        "source.1.time_zone",
        "source.1.preset",
    ]
    text = changed(('time_zone = "Europe/London"                 # the zone the export', 'own_account = "7" #'))
    assert [problem.split(": ")[1] for problem in problems_of(config, text)] == ["source.1.time_zone"]
    text = changed(('preset = "hootsuite-inbox"', 'own_account = "7"\npreset = "x-archive"'))
    assert [problem.split(": ")[1] for problem in problems_of(config, text)] == ["source.1.preset"]
    text = changed(('preset = "hootsuite-inbox"', 'own_account = "7"\npreset = "hootsuite-inbox"'))
    assert [problem.split(": ")[1] for problem in problems_of(config, text)] == ["source.1.own_account"]


def test_identifiers_must_be_kept_for_longer_than_an_order_may_take(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"upstream\.keep_ids: must be longer than order_period"):
        loaded(config, EXAMPLE.replace('keep_ids = "P3M"', 'keep_ids = "P7D"'))


INTERFACE = """[[source]]
name = "posts"
kind = "hootsuite-api"
path = "var/landing-posts"
upstream = "api"
url = "https://platform.hootsuite.com"
client_id = "me"
grant = "member_app"
member_id = "7"
"""


def with_interface(*changes: tuple[str, str]) -> str:
    text = INTERFACE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return f"{EXAMPLE}\n{text}"


def test_an_interface_is_a_source_with_nothing_wrong(config: Path) -> None:
    assert loaded(config, with_interface()).source[1].upstream == "api"


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        (("https://", "http://"), "url", "write https://"),
        (("url = ", f'preset = "{SECRET}"\nurl = '), "preset", "is for files"),
        (("url = ", 'time_zone = "Europe/London"\nurl = '), "time_zone", "is for files"),
        (('client_id = "me"\n', ""), "client_id", "is missing"),
        (('member_id = "7"\n', ""), "member_id", "is missing"),
        (('"member_app"\n', '"member_app"\norganization_id = "7"\n'), "organization_id", "goes with grant"),
        (('grant = "member_app"', f'grant = "{SECRET}"'), "grant", "must be"),
        (("url = ", 'look_back = "P3M"\nurl = '), "look_back", "days or weeks"),
    ],
)
def test_what_is_wrong_with_an_interface_is_told_by_its_key(
    config: Path, change: tuple[str, str], key: str, reason: str
) -> None:
    [told] = problems_of(config, with_interface(change))
    assert told.split(": ")[1] == f"source.2.{key}"
    assert reason in told
    assert SECRET not in told


def test_a_key_of_an_interface_is_no_key_of_an_export(config: Path) -> None:
    [told] = problems_of(config, changed(('preset = "hoot', f'client_id = "{SECRET}"\npreset = "hoot')))
    assert told.endswith('source.1.client_id: is for kind = "hootsuite-api"')
