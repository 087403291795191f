"""The promise as the schedule and ``[notice]`` make it, and the paragraph of a privacy notice that says so."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal, NamedTuple

from retention.errors import UsageError
from retention.notice.words import words_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retention.model import Period
    from retention.policy.schedule import Rule, Schedule
    from retention.settings import NoticeSettings

RenderFormat = Literal["text", "html", "markdown"]
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>#|"})
_DISTINGUISHING = ("message_type", "network", "channel")


class Clause(NamedTuple):
    """What is promised of the messages of one rule. ``terms`` are the words by which the rule tells its messages."""

    rule: str
    period: Period
    what: str
    sentence: str
    terms: tuple[str, ...]


class Promise(NamedTuple):
    """The whole promise."""

    organisation: str
    provider: str
    surfaces: str
    shared: bool
    clauses: tuple[Clause, ...]
    sharing: str

    @property
    def sentences(self) -> list[str]:
        """The paragraph, sentence by sentence."""
        return [*(clause.sentence for clause in self.clauses), self.sharing]


def promise_of(schedule: Schedule, notice: NoticeSettings | None) -> Promise:
    """Put the promise into words.

    Raises:
        UsageError: there is no table ``[notice]``, or two rules would promise different periods in the same words.

    """
    if notice is None:
        msg = "the configuration has no table [notice]; add it with organisation and provider (see docs/notice.md)"
        raise UsageError(msg)
    words = words_in(notice.lang)
    clauses: list[Clause] = []
    said: list[Rule] = []
    for rule in (one for one in schedule.rules if notice.rules is None or one.name in notice.rules):
        other = any(_overlap(rule.match, earlier.match) for earlier in said)
        what = words.messages(rule.match, notice.surfaces, other=other)
        terms = tuple(value for key in _DISTINGUISHING for value in rule.match.get(key, ()))
        sentence = words.stored(what, notice.provider, rule.keep, outbound=_is_outbound(rule.match))
        clauses.append(Clause(rule.name, rule.keep, what, sentence, terms))
        said.append(rule)
    _check_words_differ(said)
    sharing = words.sharing(shared=notice.shared, many=len(clauses) > 1)
    return Promise(notice.organisation, notice.provider, notice.surfaces, notice.shared, tuple(clauses), sharing)


def render(promise: Promise, form: RenderFormat) -> str:
    """Write the paragraph of the privacy notice."""
    text = " ".join(promise.sentences)
    if form == "html":
        return f"<p>{escape(text, quote=False)}</p>"
    return text.translate(_MARKS) if form == "markdown" else text


def _is_outbound(match: Mapping[str, tuple[str, ...]]) -> bool:
    return {value.casefold() for value in match.get("direction", ())} == {"outbound"}


def _overlap(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether a message could fit both, so that the later rule speaks of others only."""
    return all(
        {value.casefold() for value in one[key]} & {value.casefold() for value in other[key]}
        for key in one.keys() & other.keys()
    )


def _check_words_differ(rules: list[Rule]) -> None:
    """Refuse rules that only people inside can tell apart: the public does not know our sources."""
    told: dict[object, Rule] = {}
    for rule in rules:
        public = frozenset(
            (key, frozenset(value.casefold() for value in values))
            for key, values in rule.match.items()
            if key != "source"
        )
        earlier = told.setdefault(public, rule)
        if earlier.keep != rule.keep:
            msg = (
                f"rules {earlier.name} and {rule.name} promise different periods of what the public cannot tell apart; "
                "name the one that the notice speaks of with rule in [notice]"
            )
            raise UsageError(msg)
