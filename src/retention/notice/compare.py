"""Hold a published notice against the promise: period by rule, provider, sharing; for each what it says and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from retention.notice.claims import claims_of
from retention.notice.periods import say_period_in_words
from retention.notice.reading import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retention.notice.claims import Claims, PeriodClaim
    from retention.notice.promise import Clause, Promise
    from retention.notice.reading import Block

State = Literal["ok", "differs", "unsure", "not_found"]
_WORST: tuple[State, ...] = ("ok", "unsure", "not_found", "differs")
_LONGEST_QUOTE = 400


class Item(NamedTuple):
    """One thing that was compared. ``reason`` quotes nothing of the notice, ``sentences`` are its own public words."""

    item: Literal["period", "provider", "sharing"]
    rule: str | None
    state: State
    reason: str
    sentences: tuple[str, ...]


class Comparison(NamedTuple):
    """Everything that was compared."""

    items: tuple[Item, ...]

    @property
    def state(self) -> State:
        """The worst of all items."""
        return max((one.state for one in self.items), key=_WORST.index)

    @property
    def reasons(self) -> list[str]:
        """What is not in order, without a word of the notice itself."""
        return [f"{one.item}: {one.reason}" for one in self.items if one.state != "ok"]


def compare(promise: Promise, blocks: Sequence[Block]) -> Comparison:
    """Say whether a notice still promises what the schedule does."""
    claims = claims_of(blocks, promise.provider, promise.surfaces)
    periods = [_period(clause, promise.clauses, claims.periods) for clause in promise.clauses]
    return Comparison((*periods, _provider(promise, claims), _sharing(promise, claims)))


def _period(clause: Clause, clauses: Sequence[Clause], claims: list[PeriodClaim]) -> Item:
    rule = clause.rule if len(clauses) > 1 else None
    ours = [claim for claim in claims if clause in _meant(claim.sentence, clauses)]
    wanted = say_period_in_words(clause.period)
    known = {None, clause.period}
    wrong = [claim for claim in ours if not claim.beside and claim.found.period not in known]
    promised = {one.period for one in clauses}
    doubtful = [
        claim
        for claim in ours
        if claim.found.doubt and claim not in wrong and not (claim.beside and claim.found.period in promised)
    ]
    right = [claim for claim in ours if claim.found.period == clause.period and not claim.found.doubt]
    if wrong and all(claim.found.doubt for claim in wrong) and not right:
        return Item("period", rule, "unsure", f"{wrong[0].found.doubt}; the schedule says {wanted}", _quotes(wrong))
    if wrong:
        said = _and(say_period_in_words(claim.found.period) for claim in wrong if claim.found.period)
        also = ", and elsewhere the right one" if right else ""
        return Item(
            "period",
            rule,
            "differs",
            f"the notice says {said}{also}; the schedule says {wanted}",
            _quotes([*wrong, *right]),
        )
    if doubtful:
        return Item(
            "period", rule, "unsure", f"{doubtful[0].found.doubt}; the schedule says {wanted}", _quotes(doubtful)
        )
    if right:
        return Item("period", rule, "ok", wanted, _quotes(right))
    return Item("period", rule, "not_found", f"no period was found; the schedule says {wanted}", ())


def _meant(sentence: str, clauses: Sequence[Clause]) -> list[Clause]:
    """Give the rules of which a sentence speaks: those whose words it has, else those that have none of their own."""
    by_words = [clause for clause in clauses if any(_has(sentence, term) for term in clause.terms)]
    return by_words or [clause for clause in clauses if not clause.terms] or list(clauses)


def _has(sentence: str, term: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(tidy(term))}(?:e?s)?(?!\w)", sentence, re.IGNORECASE) is not None


def _provider(promise: Promise, claims: Claims) -> Item:
    name = promise.provider
    if claims.denied:
        return Item(
            "provider", None, "differs", f"the notice says that it is not {name} who stores", _once(claims.denied)
        )
    if claims.others:
        also = "also another than" if claims.named else "another than"
        return Item("provider", None, "differs", f"the notice names {also} {name}", _once(claims.others))
    if claims.named:
        return Item("provider", None, "ok", name, _once(claims.named))
    return Item("provider", None, "not_found", f"{name} is not named", ())


def _sharing(promise: Promise, claims: Claims) -> Item:
    right = "yes" if promise.shared else "no"
    wrong = [claim.sentence for claim in claims.sharing if claim.says not in {right, "unsure"}]
    doubtful = [claim for claim in claims.sharing if claim.says == "unsure"]
    fitting = [claim.sentence for claim in claims.sharing if claim.says == right]
    if wrong:
        reason = (
            "the notice says that messages are not shared"
            if promise.shared
            else "the notice says that messages are shared"
        )
        return Item("sharing", None, "differs", f"{reason}; [notice] says otherwise", _once(wrong))
    if doubtful:
        return Item("sharing", None, "unsure", doubtful[0].doubt, _once(claim.sentence for claim in doubtful))
    if fitting:
        return Item("sharing", None, "ok", "shared" if promise.shared else "not shared", _once(fitting))
    return Item("sharing", None, "not_found", "nothing is said about sharing", ())


def _quotes(claims: Iterable[PeriodClaim]) -> tuple[str, ...]:
    return _once(claim.sentence for claim in claims)


def _once(sentences: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(sentences)
    return tuple(one if len(one) <= _LONGEST_QUOTE else f"{one[:_LONGEST_QUOTE]} …" for one in kept)


def _and(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))
