"""What ``source sniff`` finds out about files it has never seen, and what it must not show."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from retention.cli.app import retention
from retention.configured import configured_source
from retention.errors import ConfigError, FileRefusedError
from retention.model import IncomingMessage
from retention.report.sniffed import sniffed_as_toml
from retention.resources import resource
from retention.settings import load_settings
from retention.sources.sniff import sniff
from retention.sources.sniff.dates import guess_dates
from tests.unit.test_sources_samples import FORMATS, SAMPLES

SECRET = "SECRET"  # noqa: S105 - marks what must never be shown


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(retention, ["source", "sniff", str(path), *options])


def said(path: Path, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(path, "--format", "json", *options).stdout)
    return answer


def table(header: list[str], *rows: list[str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def unknown(count: int = 12, *, form: str = "{day:02}.10.2026 09:30") -> str:
    header = ["Vorgang", "Nachricht-ID", "Datum", "Absender-ID", "Netzwerk", "Art", "Richtung", "Text"]
    kinds = ("Privatnachricht", "Kommentar", "Story")
    rows = [
        [f"v{n}", f"{SECRET}-{n}", form.format(day=n + 1), f"{SECRET}-p{n}", "Facebook", kinds[n % 3], "ein", SECRET]
        for n in range(count)
    ]
    return table(header, *rows, delimiter=";")


@pytest.mark.parametrize("name", FORMATS)
def test_a_known_format_is_recognised_by_its_content(name: str, tmp_path: Path) -> None:
    path = tmp_path / ("my-instagram" if name.startswith("instagram") else "my") / f"renamed{Path(name).suffix}"
    path.parent.mkdir()
    shutil.copy(SAMPLES / name, path)
    guess = sniff(path)
    assert guess.settings["preset"] == FORMATS[name]["preset"]
    assert guess.settings.get("date_format") == FORMATS[name].get("date_format")
    assert guess.counts.refused is None
    assert guess.counts.private >= 1


def test_an_unknown_table_becomes_a_configuration_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "unknown.csv"
    path.write_bytes(unknown().replace("Vorgang", "Vorgänge").encode("cp1252"))
    guess = said(path, "--time-zone", "Europe/Berlin")
    assert guess["source"] == {
        "name": "export",
        "kind": "csv-export",
        "path": "var/landing-export",
        "time_zone": "Europe/Berlin",
        "columns": {
            "message_id": "Nachricht-ID",
            "received_at": "Datum",
            "contact": "Absender-ID",
            "network": "Netzwerk",
            "direction": "Richtung",
            "message_type": "Art",
        },
        "private_when": {"column": "Art", "contains": ["privat"]},
        "public_when": {"column": "Art", "contains": ["kommentar"]},
        "date_format": "%d.%m.%Y %H:%M",
        "delimiter": ";",
        "encoding": "cp1252",
        "after_ingest": "keep-until-due",
        "upstream": "order",
    }
    counts = guess["counts"]
    assert (counts["messages"], counts["private"], counts["public"], counts["problems"]) == (12, 8, 4, 0)
    assert guess["class_values"]["message_type"] == ["Kommentar", "Privatnachricht", "Story"]
    assert "Private or not: 1 kind of rows" in " ".join(guess["questions"])
    assert tomllib.loads(guess["toml"])["source"] == [guess["source"]]


def test_what_is_printed_is_valid_configuration_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "unknown.csv"
    path.write_text(unknown())
    printed = run(path).stdout
    (block,) = tomllib.loads(printed)["source"]
    assert block == said(path)["source"]
    assert "QUESTION 1: " in printed
    assert SECRET not in printed + json.dumps(said(path))


@pytest.mark.parametrize("name", FORMATS)
def test_no_value_of_a_sample_is_shown(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    shutil.copy(SAMPLES / name, path)
    shown = run(path).stdout
    for value in ("Example", "example", "8002", "3b01", "u-9", "9001", "zoe", "When do you open", "statistics-office"):
        assert value not in shown


def test_a_day_and_a_month_that_cannot_be_told_apart_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "ambiguous.csv"
    path.write_text(table(["id", "created_at", "type"], *[[f"m{n}", f"0{n}/05/2026 10:20", "dm"] for n in range(1, 9)]))
    guess = said(path)
    assert guess["source"]["date_format"] == "%d/%m/%Y %H:%M"
    assert guess["notes"]["date_format"] == "ASKED: %m/%d/%Y %H:%M fits as well"
    assert "date_format" not in guess["certain"]


def with_kinds(column: str, *kinds: str, count: int = 12) -> str:
    rows = [[f"m{n}", f"2026-10-{n + 10} 10:20", kinds[n % len(kinds)], SECRET] for n in range(count)]
    return table(["id", "created_at", column, "text"], *rows)


@pytest.mark.parametrize(
    ("column", "kinds", "private", "public"),
    [
        ("Sichtbarkeit", ("privat", "öffentlich"), ["privat"], ["öffentlich"]),
        ("Sichtbarkeit", ("öffentlich", "nicht öffentlich"), ["nicht öffentlich"], ["öffentlich"]),
        ("Art", ("Nachricht", "Kommentar"), ["nachricht"], ["kommentar"]),
        ("Visibilité", ("Privé", "Publique"), ["privé"], ["publiq"]),
        ("Visibilidad", ("Mensaje privado", "Comentario público"), ["privad"], ["públic", "comentario"]),
        ("Zichtbaarheid", ("privé", "openbaar"), ["privé"], ["openba"]),
        ("Ort", ("Direktnachricht", "Beitrag"), ["direkt"], ["beitrag"]),
        ("visibility", ("private", "public", "non-public"), ["non-public", "private"], ["public"]),
    ],
)
def test_words_of_privacy_are_known_in_five_languages(
    tmp_path: Path, column: str, kinds: tuple[str, ...], private: list[str], public: list[str]
) -> None:
    path = tmp_path / "kinds.csv"
    path.write_text(with_kinds(column, *kinds), encoding="utf-8")
    guess = said(path)
    assert guess["source"]["private_when"] == {"column": column, "contains": private}
    assert sorted(guess["source"]["public_when"]["contains"]) == sorted(public)
    assert guess["counts"]["public"] == 12 // len(kinds)


def test_where_nothing_tells_it_is_asked_and_the_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    rows = [[f"m{n}", f"2026-10-{n + 10} 10:20", "ab"[n % 2], ("Anna", "Otto")[n % 2], "x"] for n in range(8)]
    path.write_text(table(["id", "created_at", "type", "clerk", "same"], *rows))
    guess = said(path)
    assert "private_when" not in guess["source"]
    assert (guess["open"], guess["counts"]["messages"]) == (["private_when"], 8)
    told = "Nothing in the file tells private from public; candidates: type (a: 4, b: 4), clerk (2 values). "
    assert told in " ".join(guess["questions"])
    printed = run(path).stdout
    assert '# private_when = { column = "...", contains = ["..."] }  # ASKED; ' in printed
    assert "Anna" not in printed
    config = tmp_path / "retention.toml"
    example = (resource("config") / "retention.toml").read_text(encoding="utf-8")
    config.write_text(f"{example}\n{printed}", encoding="utf-8")
    with pytest.raises(ConfigError, match="columns need private_when"):
        load_settings(config)
    answered = printed.replace('# private_when = { column = "...", contains = ["..."] }', "private_when = ALL")
    answer = '{ column = "created_at", any = true }'
    assert answer in printed
    config.write_text(f"{example}\n{answered.replace('ALL', answer)}", encoding="utf-8")
    source = configured_source(load_settings(config).source[-1])
    messages = [one for one in source.read(source.open_item(path)) if isinstance(one, IncomingMessage)]
    assert [one.message_class.visibility for one in messages] == ["private"] * 8


def test_a_file_without_rows_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "header.csv"
    path.write_text("id,created_at,type\n")
    guess = said(path)
    assert "private_when" not in guess["source"]
    asked = " ".join(guess["questions"])
    assert "The file has no rows, so nothing could be looked at" in asked
    assert "How are times written?" in asked
    path.write_text("id,kind\n")
    with pytest.raises(FileRefusedError, match="has no rows, so nothing could be looked at, and has no column"):
        sniff(path)


@pytest.mark.parametrize(("form", "unit"), [("epoch", 1), ("epoch-ms", 1000)])
def test_times_since_1970_are_found_by_the_name_of_their_column(tmp_path: Path, form: str, unit: int) -> None:
    path = tmp_path / "epoch.csv"
    rows = [[f"{1760000000 + n}", f"{(1760000000 + n * 999) * unit}", ("dm", "post")[n % 2]] for n in range(12)]
    path.write_text(table(["id", "timestamp", "type"], *rows))
    guess = said(path)
    assert guess["source"]["date_format"] == form
    assert guess["source"]["columns"] == {"message_id": "id", "received_at": "timestamp", "message_type": "type"}
    assert (guess["counts"]["messages"], guess["counts"]["problems"]) == (12, 0)
    assert "time zone" not in " ".join(guess["questions"])


def test_what_reading_found_is_told_in_sentences(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(with_kinds("type", "dm", "comment", "story") + f"m99,,dm,{SECRET}\nm98,2026-10-10 10:20\n")
    printed = run(path).stdout
    assert '#   line 4: the column "type" says neither private nor public in this and maybe further rows; ' in printed
    assert '#   1 row in which the column "created_at" is empty.' in printed
    assert "?." not in printed
    assert 'after_ingest = "keep-until-due"  # yours to choose' in printed
    assert 'upstream = "order"  # yours to choose' in printed
    assert "#   retention init --drill " in printed


@pytest.mark.parametrize(
    ("header", "values", "private", "public"),
    [
        ("is_private", ("true", "false"), ["true"], ["false"]),
        ("Private?", ("oui", "non"), ["oui"], ["non"]),
        ("public", ("1", "0"), ["0"], ["1"]),
    ],
)
def test_a_switch_for_private_or_public_is_understood(
    tmp_path: Path, header: str, values: tuple[str, str], private: list[str], public: list[str]
) -> None:
    path = tmp_path / "switch.csv"
    rows = [[f"m{n}", f"2026-10-0{n} 10:20", values[n % 2]] for n in range(1, 9)]
    path.write_text(table(["id", "created_at", header], *rows))
    source = said(path)["source"]
    assert source["private_when"] == {"column": header, "equals": private}
    assert source["public_when"] == {"column": header, "equals": public}


def test_a_short_word_within_another_word_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    kinds = ("admin note", "dm")
    path.write_text(
        table(["id", "created_at", "type"], *[[f"m{n}", f"2026-10-0{n} 10:20", kinds[n % 2]] for n in range(1, 9)])
    )
    assert "private_when" not in said(path)["source"]


@pytest.mark.parametrize(
    ("value", "form", "has_offset"),
    [
        ("2026-10-13T10:20:30Z", None, True),
        ("2026-10-13 10:20", None, False),
        ("10/13/2026 10:20 PM", "%m/%d/%Y %I:%M %p", False),
        ("13-10-26 22:20:01", "%d-%m-%y %H:%M:%S", False),
        ("13 Oct 2026 22:20", "%d %b %Y %H:%M", False),
        ("October 13, 2026, 10:20 PM", "%B %d, %Y, %I:%M %p", False),
        ("Tue Oct 13 10:20:30 +0000 2026", "%a %b %d %H:%M:%S %z %Y", True),
    ],
)
def test_the_form_of_times_is_found(value: str, form: str | None, has_offset: bool) -> None:  # noqa: FBT001 - a case
    found = guess_dates([value] * 5)
    assert found is not None
    assert (found.form, found.has_offset) == (form, has_offset)


def test_words_and_bare_days_are_no_times() -> None:
    assert guess_dates(["hello", "13.10.2026", ""]) is None
    assert guess_dates([]) is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", f"{SECRET}@example.org,2026-10-01 10:00\n", "does not begin with a line of column names"),
        ("a.csv", "id,id\n1,2\n", "does not begin with a line of column names"),
        ("a.csv", "", "is not a table of several columns"),
        ("a.csv", f"id,text\n1,{SECRET}\n", "has no column that looks like the date and time"),
        ("a.txt", SECRET, "is not a file that any source reads"),
        ("a.zip", SECRET, "is not a zip archive"),
    ],
)
def test_what_cannot_be_read_is_said_without_its_content(tmp_path: Path, name: str, content: str, reason: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(FileRefusedError, match=reason) as caught:
        sniff(path)
    assert SECRET not in str(caught.value)


def test_a_download_in_a_zip_archive_is_told_from_a_zipped_table(tmp_path: Path) -> None:
    found = []
    for inner, sample in (
        ("data/direct-messages.js", "direct-messages.js"),
        ("messages.csv", "linkedin-messages.csv"),
        ("your_instagram_activity/messages/inbox/x_1/message_1.json", "instagram-message_1.json"),
        ("messages.csv", "ringcentral-engage.csv"),
    ):
        path = tmp_path / "download.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(SAMPLES / sample, inner)
        found.append(sniff(path).settings["preset"])
    assert found == ["x-archive", "linkedin-archive", "instagram-archive", "ringcentral-engage"]


def test_names_of_columns_cannot_break_out_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    kind = 'type" }\\ [x] # \u00e9'
    path.write_text(table(["id", "created_at", kind], *[[f"m{n}", f"2026-10-0{n} 10:20", "dm"] for n in range(1, 9)]))
    (block,) = tomllib.loads("\n".join(sniffed_as_toml(sniff(path))))["source"]
    assert block["private_when"]["column"] == kind


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.csv.gz", "a.zip", "a.js", "a.json"]))
def test_any_bytes_end_in_a_guess_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    with suppress(FileRefusedError):
        tomllib.loads("\n".join(sniffed_as_toml(sniff(path))))


@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=2, max_size=5),
    st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=2, max_size=5), max_size=6),
)
def test_any_table_ends_in_a_guess_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-table.csv"
    sound = [f"m{n}" for n in range(2)]
    dated = [
        ["id", "created_at", *header],
        *[[one, "2026-10-01 10:00", *row] for one, row in zip(sound, rows, strict=False)],
    ]
    path.write_text(table(dated[0], *dated[1:]), encoding="utf-8", newline="")
    with suppress(FileRefusedError):
        tomllib.loads("\n".join(sniffed_as_toml(sniff(path))))
