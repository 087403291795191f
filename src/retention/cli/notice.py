"""``retention notice``: the sentence that the public reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retention.cli.frame import common, exits, opened, put_drill, put_json, reporting
from retention.errors import Exit

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from retention.acts.noticing import Checked
    from retention.notice.promise import RenderFormat

_WORDS = {"ok": "ok", "differs": "DIFFERS", "unsure": "unsure", "not_found": "NOT FOUND"}
_ANSWERS = {
    "ok": "The notice says what is done.",
    "differs": "The notice does NOT say what is done.",
    "not_found": "The notice does NOT say all of what is done.",
    "unsure": "The notice may say what is done; a person must read it.",
}
_CODES = {"ok": Exit.DONE, "unsure": Exit.PARTLY_DONE, "differs": Exit.AT_RISK, "not_found": Exit.AT_RISK}


@click.group()
def notice() -> None:
    """Write the notice's sentence, and check what was published.

    The privacy notice and the schedule cannot drift apart unseen.
    """


@notice.command(epilog=exits(example="retention notice render --format html"))
@common
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "markdown"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
def render(config: Path | None, now: datetime | None, verbose: bool, form: RenderFormat) -> None:
    """Write the paragraph of the privacy notice from the schedule."""
    from retention.notice.promise import promise_of
    from retention.notice.promise import render as room

    with opened(config, now, verbose=verbose) as (context, _):
        if context.installation.drill:  # not into the paragraph, which is configuration and no product of the drill
            click.echo("DRILL: this installation is an exercise.", err=True)
        click.echo(room(promise_of(context.schedule, context.settings.notice), form))


@notice.command(
    epilog=exits(Exit.PARTLY_DONE, Exit.AT_RISK, example="retention notice check https://www.example.org/privacy")
)
@common
@reporting
@click.option("--draft", is_flag=True, help="Leave no finding, whatever is checked.")
@click.argument("published", metavar="[FILE|URL]", required=False)
def check(
    *, config: Path | None, now: datetime | None, verbose: bool, form: str, draft: bool, published: str | None
) -> None:
    """Say whether a published notice promises what the schedule does.

    Period, provider and sharing are looked for in HTML, Markdown or text. Without FILE or URL, what [notice] of the
    configuration names is checked, and what is wrong with that becomes a finding; any other FILE or URL is a trial and
    leaves none. A URL must be of the host that [notice] url names; nothing else is connected to.
    It exits with 4 where the notice differs and with 3 where a person must read a sentence.
    """
    from retention.acts.noticing import check_notice

    with opened(config, now, verbose=verbose) as (context, present):
        found = check_notice(context, published, present, draft=draft)
        if form == "json":
            put_json(context, {"notices": [_as_json(one) for one in found]})
        else:
            put_drill(context)
            for one in found:
                _put(one)
    click.get_current_context().exit(max(int(_CODES[one.comparison.state]) for one in found))


def _as_json(one: Checked) -> dict[str, object]:
    items = [{**item._asdict(), "sentences": list(item.sentences)} for item in one.comparison.items]
    return {"place": one.place, "state": one.comparison.state, "trial": one.trial, "items": items}


def _put(one: Checked) -> None:
    click.echo(f"{one.place}: {_ANSWERS[one.comparison.state]}")
    for item in one.comparison.items:
        name = f"{item.item} ({item.rule})" if item.rule else item.item
        click.echo(f"  {name:<10} {_WORDS[item.state]}: {item.reason}")
        for sentence in item.sentences:
            click.echo(f'      "{sentence}"')
    if one.trial and one.comparison.state != "ok":
        click.echo("  This was a trial: no finding was opened.")
