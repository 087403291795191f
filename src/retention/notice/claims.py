"""What a published notice says about messages: passages, and in them periods, names of who stores, and sharing.

A passage begins with a sentence about private messages and goes on while the text speaks of the same thing. What a
notice says of surveys, e-mail or accounts is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from retention.notice.periods import Found, periods_in
from retention.notice.reading import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retention.notice.reading import Block

_I = re.IGNORECASE
_MESSAGE = re.compile(r"\b(?:messages?|messaging|dms?|correspondence)\b", _I)
_PRIVATE = re.compile(
    r"\b(?:private(?:ly)?|direct(?:ly)?|personal|dms?|inbox|social[\s-]+(?:media|networks?|channels?))\b", _I
)
_DMS = re.compile(r"\bDMs?\b|\b(?:private|direct)[\s-]+messag(?:es?|ing)\b", _I)
_GOES_ON = re.compile(
    r"^(?:\W*)(?:it|its|they|these|this|those|their|that|such|the\s+(?:message|content|data|information)s?|all\s+(?:of\s+)?"
    r"(?:messages?|them|these)|(?:your|private|direct|all|any)\s+(?:\w+\s+){0,2}messages?|messages?|we|neither|none|no\s+message|"
    r"after|at\s+the\s+end|once|then|nobody|no\s+one|stored|kept|held|deleted|retention)\b",
    _I,
)
_OTHER_SUBJECT = re.compile(
    r"\b(?:e-?mails?|letters?|telephone|phone|calls?|surveys?|newsletters?|cookies?|cctv|web\s?site|accounts?|payments?|"
    r"job|applications?|complaints?\s+form|comments?|posts?|followers?|recordings?|backups?)\b",
    _I,
)
_OURS_TOO = re.compile(r"\bbackups?\b", _I)
_PASSING = re.compile(r"\b(?:hours?|minutes?|days?|as\s+long|longer\s+than)\b", _I)
_KEEP = (
    r"stor(?:e[sd]?|ing|age)|kept|keeps?|keeping|h[eo]ld(?:s|ing)?|retain(?:s|ed|ing)?|retention|"
    r"sav(?:e[sd]?|ing)|preserv(?:e[sd]?|ing)|archiv(?:e[sd]?|ing)|remain(?:s|ing)?|stays?|lives?|available"
)
_DROP = (
    r"delet(?:e[sd]?|ing|ion)|eras(?:e[sd]?|ing|ure)|remov(?:e[sd]?|ing|al)|destroy(?:s|ed|ing)?|destruction|"
    r"dispos(?:e[sd]?|ing|al)|purg(?:e[sd]?|ing)|disappears?|wiped?|gone"
)
_ELSE = (
    r"repl(?:y|ies|ied|ying)|respon(?:d[s]?|ded|ding|ses?)|answer(?:s|ed|ing)?|acknowledg\w*|"
    r"review(?:s|ed|ing)?|contact(?:s|ed|ing)?|updat(?:e[sd]?|ing)|monitor(?:s|ed|ing)?|check(?:s|ed|ing)?|"
    r"publish(?:es|ed)?|chang(?:e[sd]?|ing)|open|read"
)
_VERB = re.compile(rf"\b(?:(?P<keep>{_KEEP}|{_DROP})|(?P<other>{_ELSE}))\b", _I)
_STORE_VERB = r"(?:stored|kept|held|hosted|retained|saved|processed|managed|archived|handled)"
_STORES = re.compile(
    rf"\b(?P<not>(?:not|never|n't|no\s+longer)\s+(?:be\s+|being\s+)?(?:\w+ly\s+)?)?{_STORE_VERB}\s+(?:\w+ly\s+|for\s+us\s+)?"
    r"(?P<how>by|in|on|with|at|within|using|through|via)\s+(?:(?:our|the|a|an)\s+)?(?:(?:supplier|provider|processor|service|"
    r"platform|system|tool|software|social\s+media\s+(?:management\s+)?(?:tool|platform|provider|system|software)|"
    r"third[\s-]party(?:\s+\w+)?)s?,?\s+(?:called\s+|named\s+)?)?"
    r"(?P<who>us\b|ourselves|[A-Z][\w&.'-]*(?:\s+(?:[A-Z][\w&.'-]*|&))*)",
)
_ACTIVE = re.compile(
    r"(?P<who>\b[A-Z][\w&.'-]*(?:\s+[A-Z][\w&.'-]*){0,3})(?:,[^,.;]{1,60},)?"
    r"\s+(?:will\s+|(?:also\s+)|may\s+)?(?:stores?|keeps?|holds?|hosts?|retains?)\b"
)
_WORD = re.compile(r"[\w']+")
_OURS = "OurProvider"
_NO_NAMES = frozenset(
    _WORD.findall(
        "we it they you this these the if your our all any private direct messages message dms hootsuite's once "
        "when after social january february march april may june july august september october november december "
        "uk eu"
    )
)
_SHARES = re.compile(
    r"\b(?:shar(?:e[sd]?|ing)|disclos(?:e[sd]?|ing|ure)|pass(?:ed|es|ing)?\s+(?:(?:it|them|this|these|messages?|your\s+message)\s+)?"
    r"(?:on|to|along)|(?:given|giv(?:e|es|ing)|sold|sell|sells|transferred|transfer|forwarded|forward)\s+(?:\w+\s+){0,4}?to)\b",
    _I,
)
_NEGATION = re.compile(r"\b(?:not|never|cannot|no|nor|neither|without|nobody|none|refuse|\w+n't)\b", _I)
_NOBODY = re.compile(
    r"\bwith\s+(?:no(?:body|\s+one|-one|ne)?\b|no\s+other)|\bto\s+(?:nobody|no[\s-]one|no\s+other)\b", _I
)
_ANYBODY = re.compile(
    r"\b(?:other|any|third|external|outside|else|anyone|anybody|nobody|no[\s-]one|another|others|beyond|further)\b", _I
)
_EXCEPTION = re.compile(
    r"\b(?:except(?:ing|ion|ions)?|unless|apart\s+from|other\s+than|aside\s+from|save\s+(?:where|as|for|that|if)|only\s+(?:with|if|where|when|as)|"
    r"without\s+(?:your|prior|first|the\s+sender's)\b|subject\s+to|where\s+(?:the\s+law|required|necessary|we\s+(?:must|have))|"
    r"if\s+(?:the\s+law|required|we\s+(?:must|are|have))|but\s+(?:we\s+)?may|however|in\s+most\s+cases|normally|usually|generally|"
    r"routinely|required\s+by\s+law|legally\s+(?:required|obliged))\b",
    _I,
)
_YOU = re.compile(r"\byou\s+(?:\w+\s+){0,2}$", _I)
_TO_WHOM = re.compile(r"\b(?:with|to)\s+(?P<whom>[^.;,]{1,80})", _I)

Sharing = Literal["no", "yes", "unsure"]


class PeriodClaim(NamedTuple):
    """A period of retention that a sentence names; ``beside`` where it may be one of something else."""

    found: Found
    sentence: str
    beside: bool = False


class SharingClaim(NamedTuple):
    """What a sentence says about sharing, and why that is unsure."""

    says: Sharing
    sentence: str
    doubt: str


@dataclass(slots=True)
class Claims:
    """Everything a notice says. ``named`` are sentences that name the provider, ``others`` those that name another."""

    passages: list[str] = field(default_factory=list)
    periods: list[PeriodClaim] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    sharing: list[SharingClaim] = field(default_factory=list)


def claims_of(blocks: Iterable[Block], provider: str, surfaces: str) -> Claims:
    """Collect what is said about private messages."""
    claims, topic = Claims(), _Topic(provider, surfaces)
    for said in topic.sentences(blocks):
        sentence = said.sentence
        weighed = (_weigh(said, one) for one in periods_in(sentence))
        claims.periods += [claim for claim in weighed if claim is not None]
        if said.beside:
            continue
        claims.passages.append(sentence)
        _note_provider(claims, sentence, provider)
        shared = _sharing(sentence, provider)
        claims.sharing += [shared] if shared else []
    return claims


class _Said(NamedTuple):
    """A sentence; ``loose`` where a bare period in it counts: in a row of a table, or below a fitting heading."""

    sentence: str
    loose: bool
    beside: bool


class _Topic:
    """Follows the text and tells which sentences speak of private messages."""

    def __init__(self, provider: str, surfaces: str) -> None:
        self._surfaces = _words(surfaces)
        self._provider = _words(provider)

    def sentences(self, blocks: Iterable[Block]) -> Iterable[_Said]:
        """Give them, and those beside them in a block that have no other clear subject."""
        below = going = False
        for block in blocks:
            if block.heading:
                below = going = any(
                    self._begins(one) or self._surfaces.search(one) is not None for one in block.sentences
                )
                if not going:
                    continue
            found: list[_Said] = []
            spoken = aside = False
            for sentence in block.sentences:
                about = self._begins(sentence)
                other = _OTHER_SUBJECT.search(sentence) is not None and not _MESSAGE.search(sentence)
                going = about or (not other and (below or (going and self._continues(sentence))))
                aside = not about and (
                    (other and not _OURS_TOO.search(sentence)) or (aside and self._continues(sentence))
                )
                spoken = spoken or going
                if going or not aside:
                    found.append(_Said(sentence, block.row or block.heading or below, not going))
            yield from found if spoken else ()

    def _begins(self, sentence: str) -> bool:
        if _DMS.search(sentence):
            return True
        on_topic = _PRIVATE.search(sentence) or self._surfaces.search(sentence) or self._provider.search(sentence)
        return bool(_MESSAGE.search(sentence) and on_topic)

    def _continues(self, sentence: str) -> bool:
        return bool(_GOES_ON.search(sentence) or self._provider.search(sentence) or _SHARES.search(sentence))


def _words(text: str) -> re.Pattern[str]:
    """Find a name as a reader would: whatever its case and the spaces in it."""
    parts = [re.escape(part) for part in re.split(r"[\s-]+", tidy(text)) if part]
    together = r"[\s-]*".join(parts)
    return re.compile(rf"(?<!\w){together}(?!\w)", _I)


def _weigh(said: _Said, one: Found) -> PeriodClaim | None:
    """Tell a period of retention from one for an answer: by the verb before it, else by the one after it."""
    before = list(_VERB.finditer(said.sentence, 0, one.start))
    verb = before[-1] if before else _VERB.search(said.sentence, one.end)
    if verb is not None and verb["keep"] is None:
        return None
    if not said.beside and (verb is not None or (said.loose and one.period is not None)):
        return PeriodClaim(one, said.sentence)
    if one.period is None and verb is None and _PASSING.search(said.sentence, one.start, one.end):
        return None
    return PeriodClaim(
        one._replace(doubt="a sentence names a period, and not clearly of what"), said.sentence, beside=True
    )


def _note_provider(claims: Claims, sentence: str, provider: str) -> None:
    name, whole = _words(provider), sentence
    sentence = name.sub(_OURS, sentence)  # some names have a comma in them, or a small letter first
    denied = False
    for match in _STORES.finditer(sentence):
        who = match["who"]
        ours = _OURS in who
        limited = re.search(r"\b(?:longer|more|later)\s+than\b|\b(?:beyond|after)\b", sentence[match.end() :], _I)
        if ours and match["not"] and not limited:
            denied = True
        elif not ours and not match["not"] and (who in {"us", "ourselves"} or _is_name(who, match["how"])):
            claims.others.append(whole)
    for match in _ACTIVE.finditer(sentence):
        if _OURS not in match["who"] and _is_name(match["who"], "by"):
            claims.others.append(whole)
    if denied:
        claims.denied.append(whole)
    elif _OURS in sentence:
        claims.named.append(whole)


def _is_name(who: str, how: str) -> bool:
    """Tell who stores from where: what follows *in* or *via* may be a country, a network or a month."""
    first = who.split(maxsplit=1)[0].rstrip(".").casefold()
    return how == "by" and first not in _NO_NAMES


def _sharing(sentence: str, provider: str) -> SharingClaim | None:
    match = _SHARES.search(sentence)
    if match is None:
        return None
    plain = re.sub(
        rf"\b(?:except|other\s+than|apart\s+from|aside\s+from)\s+(?:for\s+|with\s+|by\s+)?{_words(provider).pattern}",
        "",
        sentence,
        flags=_I,
    )
    clause = re.split(r"[;:]|,\s+(?:and|but)\s+", sentence[: match.start()])[-1]
    negated = _NEGATION.search(clause) or _NOBODY.search(sentence, match.start())
    exception = _EXCEPTION.search(plain)
    if not negated:
        return None if _YOU.search(clause) else SharingClaim("yes", sentence, "")
    if exception is not None:
        return SharingClaim("unsure", sentence, "it makes an exception")
    whom = _TO_WHOM.search(sentence, match.start())
    if whom and not _ANYBODY.search(sentence, match.start()):
        return SharingClaim("unsure", sentence, "it says of some only that they get nothing")
    return SharingClaim("no", sentence, "")
