"""The page for the public as one HTML file: no script, nothing loaded, readable by everyone, and it prints on A4.

Meaning never hangs on colour: each state has a headline in words and a shape of its own. What the page says stands in
``notice/words.py``.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from retention.model import iso
from retention.notice.words import words_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.notice.promise import Promise
    from retention.notice.words import English
    from retention.report.public import PublicFacts

_STYLE = Path(__file__).with_name("public.css")
_SHAPE = '<svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">{}</svg>'
_SHAPES = {
    "kept": '<circle cx="24" cy="24" r="21"/><path d="m14.5 24.5 6.5 6.5 12.5-13.5"/>',
    "at_risk": '<path d="M24 5 45 42H3Z"/><path d="M24 18v11.5m0 5.6v.4"/>',
    "broken": '<path d="M15.5 3h17L45 15.5v17L32.5 45h-17L3 32.5v-17Z"/><path d="m16.5 16.5 15 15m0-15-15 15"/>',
}


def public_page(promise: Promise, facts: PublicFacts, lang: str) -> bytes:
    """Write the page in UTF-8, the same bytes for the same facts."""
    words = words_in(lang)
    style = f"\n{_STYLE.read_text(encoding='utf-8')}"
    allowed = f"'sha256-{b64encode(sha256(style.encode()).digest()).decode('ascii')}'"
    title = f"{words.drill_title if facts.drill else ''}{words.headlines[facts.state]}: {promise.organisation}"
    parts = [
        "<!doctype html>",
        f'<html lang="{words.lang}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src {allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        f'<body class="{facts.state}">',
        "<header>",
        f'<p class="drill"><strong>{escape(words.drill)}</strong></p>' if facts.drill else "",
        f'<p class="organisation">{escape(promise.organisation)}</p>',
        f"<h1>{escape(words.title)}</h1>",
        f'<p class="promise">{escape(" ".join(promise.sentences))}</p>',
        "</header>",
        "<main>",
        *_standing(promise, facts, words),
        *_figures(facts, words),
        *_detail(promise, words),
        *_proof(facts, words),
        "</main>",
        "<footer>",
        f"<p>{escape(words.made_by)} {escape(words.no_personal_data)}</p>",
        "</footer>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(part for part in parts if part) + "\n").encode()


def _standing(promise: Promise, facts: PublicFacts, words: English) -> Iterable[str]:
    yield '<section class="standing" aria-labelledby="standing">'
    yield _SHAPE.format(_SHAPES[facts.state])
    yield f'<div>\n<h2 id="standing">{escape(words.headlines[facts.state])}</h2>'
    yield f'<p class="lead">{escape(words.standing(facts.state, held=facts.held))}</p>'
    day = words.day(facts.since_on) if facts.since_on else ""
    yield f"<p>{escape(' '.join([words.since[facts.since].format(day=day), *_before(promise, facts, words)]))}</p>"
    if facts.unchecked:
        yield f"<p>{escape(words.unchecked)}</p>"
    if facts.troubles:
        label = words.what_is_wrong if facts.state == "broken" else words.what_needs_care
        yield f"<h3>{escape(label)}</h3>\n<ul>"
        for trouble in facts.troubles:
            yield f"<li>{escape(words.troubles[trouble].format(provider=promise.provider))}</li>"
        yield "</ul>"
    clock = f"{words.day(facts.now.date())}, {facts.now:%H:%M} ({facts.now.tzname()})"
    yield f'<p class="quiet">{escape(words.as_of)} <time datetime="{iso(facts.now)}">{escape(clock)}</time>.'
    yield f"{escape(words.stale)}</p>"
    yield "</div>\n</section>"


def _before(promise: Promise, facts: PublicFacts, words: English) -> Iterable[str]:
    """Say when the promise was broken before, and by what."""
    if facts.broken_on is None or facts.since_on is None:
        return
    yield words.broken_before(facts.broken_on, facts.since_on)
    yield from (words.breaks[what].format(provider=promise.provider) for what in facts.broken_by)


def _figures(facts: PublicFacts, words: English) -> Iterable[str]:
    rows = [_oldest(facts, words), _last(facts, words), _next(facts, words)]
    if facts.held:
        rows.append((words.legal, words.held(facts.held), words.legal_note))
    even = " even" if len(rows) % 2 == 0 else ""
    yield f'<section aria-labelledby="figures">\n<h2 id="figures">{escape(words.figures)}</h2>'
    yield f'<dl class="figures{even}">'
    for label, value, note in rows:
        yield (
            f"<div><dt>{escape(label)}</dt>"
            f'<dd class="value">{escape(value)}</dd><dd class="note">{escape(note)}</dd></div>'
        )
    yield "</dl>\n</section>"


def _oldest(facts: PublicFacts, words: English) -> tuple[str, str, str]:
    if facts.oldest_received_on is None:
        return words.oldest, words.none_held, words.none_held_note
    return words.oldest, words.day(facts.oldest_received_on), words.oldest_note


def _last(facts: PublicFacts, words: English) -> tuple[str, str, str]:
    if facts.last_run_on is None:
        return words.last, words.no_run, words.no_run_note
    return words.last, words.day(facts.last_run_on), words.disposed(facts.last_disposed)


def _next(facts: PublicFacts, words: English) -> tuple[str, str, str]:
    if facts.due:
        return words.next, words.due_now, words.waiting(facts.due)
    if facts.next_due_on is None:
        return words.next, words.nothing_to_go, words.nothing_to_go_note
    return words.next, words.day(facts.next_due_on), words.next_note


def _detail(promise: Promise, words: English) -> Iterable[str]:
    yield f'<section aria-labelledby="detail">\n<h2 id="detail">{escape(words.detail)}</h2>\n<dl class="lines">'
    for clause in promise.clauses:
        yield _line(words.messages_label, clause.what)
        yield _line(words.period_label, words.period(clause.period))
    yield _line(words.provider_label, promise.provider)
    yield _line(words.sharing_label, words.shared[promise.shared])
    yield "</dl>"
    if any(clause.period.months for clause in promise.clauses):
        yield f'<p class="quiet">{escape(words.calendar)}</p>'
    yield "</section>"


def _line(label: str, text: str) -> str:
    return f"<div><dt>{escape(label)}</dt><dd>{escape(text[:1].upper() + text[1:])}</dd></div>"


def _proof(facts: PublicFacts, words: English) -> Iterable[str]:
    yield f'<section aria-labelledby="proof">\n<h2 id="proof">{escape(words.proof)}</h2>'
    yield f"<p>{escape(words.note_for)}</p>"
    if facts.note is None:
        yield f"<p>{escape(words.no_note)}</p>\n</section>"
        return
    text, _, signatures = facts.note.rstrip("\n").partition("\n\n")
    yield f"<h3>{escape(words.note_label)}</h3>\n<pre>{escape(text)}</pre>"
    yield f"<h3>{escape(words.signature_label)}</h3>\n<pre>{escape(signatures)}</pre>\n<ol>"
    yield from (f"<li>{escape(step)}</li>" for step in words.steps)
    yield "</ol>\n</section>"
