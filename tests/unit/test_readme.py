from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from retention.cli.app import retention

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_help_as_it_is() -> None:
    block = re.search(
        r"<!-- help -->\n```text\n(.*?)```\n<!-- /help -->", README.read_text(encoding="utf-8"), re.DOTALL
    )
    assert block is not None
    shown = CliRunner().invoke(retention, ["--help"], prog_name="retention", terminal_width=80).output
    assert block[1].strip() == shown.strip()


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
