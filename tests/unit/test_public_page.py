"""The page for the public: its words, its structure, its colours, and what a browser's accessibility check says."""

from __future__ import annotations

import itertools
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from retention.report.public_html import public_page
from tests.depth import deep
from tests.unit.golden.frozen import golden
from tests.unit.public_kit import FACTS, NOTE, REFERENCE, promise

if TYPE_CHECKING:
    from pathlib import Path

    from retention.report.public import PublicFacts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "path", "circle"}
STATES = list(FACTS)
# A width of 320 is what 1280 becomes at a zoom of 400 %: nothing may need scrolling to the side.
LOOKS = [("light", 1280), ("dark", 320), ("light", 320), ("dark", 1280)]
"""How a browser shows the page: each state in all these ways, by default in one of them."""


def page(facts: PublicFacts) -> str:
    return public_page(promise(), facts, "en").decode()


class Outline(HTMLParser):
    """Reads a page strictly: every element closed where it should be; keeps what structure rests on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.words.setdefault(self.open[-1], []).append(data.strip())


@pytest.mark.parametrize("name", STATES)
def test_the_page_says_what_it_always_said(name: str) -> None:
    text = page(FACTS[name])
    shown = re.sub(r"<style>.*?</style>|'sha256-[^']*'", "…", text, flags=re.DOTALL)  # how it looks is not what it says
    assert shown == golden(f"public-{name}.html", shown)


@pytest.mark.parametrize("name", STATES)
def test_the_page_is_well_formed_and_has_what_a_screen_reader_goes_by(name: str) -> None:
    text = page(FACTS[name])
    outline = Outline(text)
    tags = [tag for tag, _ in outline.tags]
    assert text.startswith("<!doctype html>\n")
    assert outline.tags[0] == ("html", {"lang": "en"})
    assert [tags.count(one) for one in ("header", "main", "footer", "h1", "title")] == [1, 1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [given["id"] for _, given in outline.tags if "id" in given]
    assert len(set(ids)) == len(ids)
    assert [given["aria-labelledby"] in ids for tag, given in outline.tags if tag == "section"] == [True] * 4
    assert all(given.get("aria-hidden") == "true" for tag, given in outline.tags if tag == "svg")
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in outline.tags


@pytest.mark.parametrize("name", STATES)
def test_the_page_runs_nothing_and_loads_nothing(name: str) -> None:
    text = page(FACTS[name])
    outline = Outline(text)
    assert {tag for tag, _ in outline.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "a",
        "base",
    } == set()
    assert {key for _, given in outline.tags for key in given} & {"src", "href", "style", "onload", "srcset"} == set()
    assert not re.search(r"url\(|@import|https?:", text)
    assert "default-src 'none'; style-src 'sha256-" in text


@pytest.mark.parametrize("name", STATES)
def test_state_is_told_in_words_and_not_by_colour_alone(name: str) -> None:
    headline = {"kept": "The promise is kept", "at-risk": "The promise is at risk", "broken": "The promise is not kept"}
    outline = Outline(page(FACTS[name]))
    assert outline.words["h2"][0] == headline[name]
    assert headline[name] in outline.words["title"][0]
    shapes = {
        re.search(r"<svg.*?</svg>", page(facts)) is not None and page(facts).split("<svg")[1][:200]
        for facts in FACTS.values()
    }
    assert len(shapes) == len(FACTS)
    assert REFERENCE in outline.words["p"]


def test_drill_is_marked_in_the_title_and_first_of_all() -> None:
    drill = Outline(page(FACTS["kept"]._replace(drill=True)))
    assert drill.words["title"][0].startswith("DRILL: ")
    assert drill.words["strong"] == ["DRILL: this page is an exercise. It does not speak of real messages."]
    assert "DRILL" not in page(FACTS["kept"])


def test_the_three_lines_are_there_as_they_were_signed() -> None:
    lines, signature = Outline(page(FACTS["kept"])).words["pre"]
    assert f"{lines}\n\n{signature}\n" == NOTE
    assert len(lines.split("\n")) == 3
    nothing = page(FACTS["kept"]._replace(note=None))
    assert "No checkpoint has been signed yet." in nothing
    assert "<pre>" not in nothing


def test_empty_register_and_unknown_dates_are_said_so() -> None:
    text = page(
        FACTS["kept"]._replace(
            registered=0, oldest_received_on=None, next_due_on=None, last_run_on=None, last_disposed=0
        )
    )
    for said in ("No message is held at the moment.", "None yet", "Nothing is waiting"):
        assert said in text
    assert "Since when is not known." in page(FACTS["broken"]._replace(since="unknown", since_on=None))


def test_what_a_configuration_says_is_text_and_no_markup() -> None:
    made = promise()._replace(organisation='<b>"Office" & Co</b>', provider="<script>")
    text = public_page(made, FACTS["at-risk"], "en").decode()
    assert "<script>" not in text
    assert "&lt;b&gt;&quot;Office&quot; &amp; Co&lt;/b&gt;" in text


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css))


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_pair_of_colours_has_the_contrast_that_small_text_needs() -> None:
    css = page(FACTS["kept"]).split("<style>")[1].split("</style>")[0]
    light, dark, _ = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    for colours in (_colours(light), _colours(dark)):
        pairs = [("ink", ground) for ground in ("ground", "paper", "mono", "kept-tint", "risk-tint", "broken-tint")]
        pairs += [("quiet", "ground"), ("quiet", "paper")]
        pairs += [(mark, f"{mark}-tint") for mark in ("kept", "risk", "broken")]
        assert [pair for pair in pairs if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.timeout(300)
def test_a_browser_finds_nothing_inaccessible(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for place, name in enumerate(STATES):
            file = tmp_path / f"{name}.html"
            file.write_bytes(public_page(promise(), FACTS[name], "en"))
            for scheme, width in deep(LOOKS, [LOOKS[place % len(LOOKS)]]):
                size = {"width": width, "height": 900}
                shown = browser.new_page(color_scheme=scheme, viewport=size, bypass_csp=True)
                shown.goto(file.as_uri())
                answer = axe.Axe().run(shown, options={"runOnly": rules}).response
                found += [(name, scheme, width, one["id"]) for one in answer["violations"]]
                assert answer["passes"]
                assert shown.evaluate("document.documentElement.scrollWidth") <= width
                shown.close()
        browser.close()
    assert found == []
