from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import click
import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import pytest
import zxingcpp

from retention.cli.app import retention
from retention.model import Period
from retention.report.backups import Reach
from retention.report.qr import own_part
from retention.report.record_html import record_as_html
from retention.report.record_json import record_as_json
from retention.report.record_page import page_of
from retention.report.record_pdf import record_as_pdf
from retention.report.record_words import BEYOND_REACH, steps_of
from tests.unit.record_kit import BELTS, NOTE, ORIGIN, RULE, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.report.record import Record

LONG_REASON = " ".join(["The backlog of the spring was ingested late and somebody has read the plan."] * 26)
LONG_AUTHORITY = (
    "Privacy notice: people who contact us via social media, section 4 paragraph 2, as published on 1 March 2026 and "
    "amended by the retention schedule of the corporate records committee on 12 June 2026"
)
CASES = {
    "a week": record(7),
    "one message": record(1, 1),
    "three hundred days, six networks, belts, a drill": record(300, drill=True, belts=BELTS, holds=1),
    "nothing due, on PostgreSQL": record(0, database="postgresql", holds=0, rules=(RULE._replace(held=0),)),
    "interrupted": record(
        20,
        run=record(20).run._replace(
            state="interrupted", skipped_held=None, skipped_gone=None, due_after=None, residue=None
        ),
    ),
    "something went wrong": record(20, run=record(20).run._replace(due_after=3, residue=2)),
    "two rules of three": record(
        40,
        rules=(
            RULE._replace(disposed=500, released=7),
            RULE._replace(rule="(no rule)", keep="", authority="no rule of the schedule covers these messages", held=2),
            RULE._replace(rule="complaints", held=0, disposed=0),
        ),
    ),
    "eight networks over years": record(1500, 8, belts=(BELTS[0]._replace(by=BELTS[0].reason),)),
    "a long reason": record(
        60, belts=tuple(one._replace(reason=one.reason._replace(text=LONG_REASON)) for one in BELTS)
    ),
    "an erased reason": record(60, belts=tuple(one._replace(reason=one.reason._replace(text=None)) for one in BELTS)),
    "long names, a drill": record(
        30,
        3,
        drill=True,
        belts=BELTS,
        origin=f"retention/DRILL-{ORIGIN[-16:]}/epoch-2",
        rules=(RULE._replace(rule="direct-messages-of-the-statistics-enquiry-service", authority=LONG_AUTHORITY),),
    ),
    "twelve networks, ninety days": record(90, 12, belts=BELTS),
    "cosigned by witnesses": record(
        7, checkpoint=record(7).checkpoint._replace(note=NOTE + "— witness.example/w1 " + "A" * 3600 + "\n")
    ),
}
RENDERERS: dict[str, Callable[[Record], bytes]] = {
    "pdf": record_as_pdf,
    "html": record_as_html,
    "json": record_as_json,
}
_drawn: dict[int, bytes] = {}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def drawn(case: Record) -> bytes:
    """Draw the page of one of the cases, once for all tests that look at it."""
    if id(case) not in _drawn:
        _drawn[id(case)] = record_as_pdf(case)
    return _drawn[id(case)]


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def scanned(pdf: bytes) -> list[str]:
    """Scan what a phone would see: the page as a picture."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        picture = document[0].render(scale=3, grayscale=True)
        pixels = memoryview(picture.buffer).cast("B").cast("B", shape=[picture.height, picture.stride])
        return [code.text for code in zxingcpp.read_barcodes(pixels)]
    finally:
        document.close()


class Outline(HTMLParser):
    """Collects the tags, the attributes and the text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@every_case
def test_the_record_stands_on_one_page_of_a4(case: Record) -> None:
    document = pypdfium2.PdfDocument(drawn(case))
    assert len(document) == 1
    assert [round(side) for side in document[0].get_size()] == [595, 842]
    document.close()


@every_case
@pytest.mark.parametrize("how", RENDERERS)
def test_the_same_run_gives_the_same_bytes_and_claims_no_more_than_was_done(case: Record, how: str) -> None:
    written = drawn(case) if how == "pdf" else RENDERERS[how](case)
    assert RENDERERS[how](replace(case)) == written
    said = (text_of(written) if how == "pdf" else written.decode()).lower()
    for word in ("certif", "sanitiz", "sanitis", "tamper-proof", "tamperproof"):
        assert word not in said


@pytest.mark.parametrize("how", RENDERERS)
def test_only_a_drill_says_drill(how: str) -> None:
    for drill in (True, False):
        written = RENDERERS[how](record(7, drill=drill))
        said = text_of(written) if how == "pdf" else written.decode()
        assert ("DRILL" in said or '"drill": true' in said) is drill


def test_a_picture_of_the_page_holds_the_signed_checkpoint() -> None:
    assert scanned(record_as_pdf(CASES["a week"])) == [NOTE]
    assert scanned(record_as_pdf(CASES["cosigned by witnesses"])) == [NOTE]


@every_case
def test_the_key_to_compare_stands_on_every_page(case: Record) -> None:
    for how in (record_as_html, record_as_json):
        assert case.checkpoint.key in how(case).decode()
        assert case.checkpoint.fingerprint in how(case).decode()
    # On paper a line may be broken, within the key if need be.
    said = "".join(text_of(drawn(case)).split())
    assert case.checkpoint.key in said
    assert case.checkpoint.fingerprint in said


def test_the_range_of_entries_says_what_is_in_it() -> None:
    """Three messages in one batch are four entries: the batch has one that closes it."""
    few = record(1, 2)
    first = few.entries[0] if few.entries else 0
    alone = " ".join(line.text for line in page_of(few).evidence)
    last = first + few.disposed
    assert (
        f"{few.disposed} log entries, 1 a message, and 1 that closes the batch: entries {first:,} to {last:,}" in alone
    )
    wider = replace(few, entries=(first, last + 9), run=few.run._replace(batches=3))
    said = " ".join(line.text for line in page_of(wider).evidence)
    assert f"1 a message, and 3 that close its batches: among entries {first:,} to {last + 9:,}" in said
    one = replace(few, counts=(few.counts[0]._replace(disposed=1),))
    assert "1 log entry for the message" in " ".join(line.text for line in page_of(one).evidence)


def test_signatures_of_others_are_left_out_of_the_code() -> None:
    assert own_part(NOTE + f"— {ORIGIN}x AAAA\n— witness.example BBBB\n") == NOTE


def test_the_page_says_plainly_what_is_not_known() -> None:
    said = " ".join(text_of(record_as_pdf(CASES["nothing due, on PostgreSQL"])).split())
    assert "unknown. Hootsuite Inbox has no call that deletes private messages" in said
    for copy, _ in BEYOND_REACH["postgresql"]:
        assert copy in said
    assert said.count("not registered") == len(BEYOND_REACH["postgresql"])


def test_the_page_says_until_when_backups_may_hold_it_and_that_nobody_looked() -> None:
    by_rule = Reach("database", date(2026, 12, 28), Period.parse("P35D"), (12,))
    registered = Reach("keys", date(2027, 1, 4), None, (5, 90))
    said = " ".join(text_of(record_as_pdf(record(copies=(by_rule, registered)))).split())
    assert "28 December 2026" in said
    assert "each is kept for 35 days as configured, entry 12; said to be gone by then, not shown" in said
    assert "Backups of the keys" in said
    assert "as registered, entries 5 to 90; said to be gone by then, not shown" in said
    assert said.count("not registered") == len(BEYOND_REACH["sqlite"]) - 1


def test_a_run_that_did_not_come_to_its_end_is_not_told_as_one_that_did() -> None:
    said = " ".join(text_of(record_as_pdf(CASES["interrupted"])).split())
    assert "The run was interrupted before its end" in said
    assert said.count("not counted") == 3
    assert "not searched" in said


def test_what_went_wrong_stands_on_top() -> None:
    said = Outline(record_as_html(CASES["something went wrong"])).said
    assert "After the run 3 messages past the period and not held remained." in said
    assert "2 identifiers of deleted records were still readable in our own files." in said


def test_networks_beyond_the_sixth_are_added_up_and_none_is_lost() -> None:
    table = page_of(CASES["eight networks over years"]).table
    assert table is not None
    assert table.head[-2:] == ["other networks", "total"]
    totals = [int(cell.replace(",", "")) for cell in table.foot[1:]]
    assert sum(totals[:-1]) == totals[-1] == CASES["eight networks over years"].disposed


def test_an_erased_reason_is_said_to_be_erased_and_a_name_that_was_kept_is_named() -> None:
    assert b"the text was erased" in record_as_html(CASES["an erased reason"])
    assert "not named in the log" in record_as_html(CASES["a long reason"]).decode()
    assert "not named in the log" not in record_as_html(CASES["eight networks over years"]).decode()


@every_case
def test_the_html_loads_nothing_runs_nothing_and_has_one_order_of_headings(case: Record) -> None:
    page = Outline(record_as_html(case))
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert ("lang", "en") in page.attributes
    assert not any(name.startswith("on") or name in {"src", "href", "style"} for name, _ in page.attributes)
    assert {value for name, value in page.attributes if name == "xmlns"} <= {"http://www.w3.org/2000/svg"}
    headings = [tag for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}
    assert all(value for name, value in page.attributes if name == "aria-label")


def test_what_people_wrote_is_text_and_nothing_else() -> None:
    nasty = '<script>alert("1")</script> & #import "x" *bold* $x$'
    case = record(7, rules=(RULE._replace(disposed=5, authority=nasty),))
    assert "script" not in Outline(record_as_html(case)).tags
    assert nasty in "".join(Outline(record_as_html(case)).said)
    assert nasty in " ".join(text_of(record_as_pdf(case)).split())


def test_the_json_has_the_count_of_every_day_and_network() -> None:
    case = CASES["three hundred days, six networks, belts, a drill"]
    told = json.loads(record_as_json(case))
    assert len(told["counts"]) == len(case.counts)
    assert sum(count["disposed"] for count in told["counts"]) == told["run"]["disposed"] == case.disposed
    assert told["evidence"]["upstream"] == "unknown"
    assert told["checkpoint"]["note"] == NOTE


def test_colours_of_text_can_be_read_by_people_who_see_little() -> None:
    style = re.search(r":root \{(.*?)\}", record_as_html(CASES["a week"]).decode())
    assert style is not None
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style[1]))
    for name in ("ink", "quiet", "accent", "alarm"):
        assert (1.05 / (luminance(colours[name]) + 0.05)) >= 4.5, name


def luminance(colour: str) -> float:
    """Give the relative luminance of WCAG 2.2."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_commands_on_the_page_can_be_typed() -> None:
    for command, _ in steps_of(CASES["a week"]):
        program, *arguments = shlex.split(command)
        assert program == "retention"
        group = retention.get_command(click.Context(retention), arguments[0])
        assert isinstance(group, click.Group)
        found = group.get_command(click.Context(group), arguments[1])
        assert found is not None
        known = {option for parameter in found.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known, command
