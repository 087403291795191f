"""Invented people: names that nobody has, and identifiers from ranges reserved for fiction.

Telephone numbers are of the range that Ofcom keeps for drama (07700 900000 to 900999), mail addresses are under
example.org (RFC 2606), and handles end in ``demo`` and a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    _Face = Callable[[Random, int, str, str], tuple[str, str]]

PER_NETWORK = 1000
"""People on each network: as many as there are telephone numbers for drama."""

# Each name with its spelling in a handle; right-to-left, accented and non-Latin ones on purpose.
_GIVEN = (
    ("Wanda", "wanda"), ("Osric", "osric"), ("Tamsin", "tamsin"), ("Ignatius", "ignatius"), ("Zoë", "zoe"),
    ("Björn", "bjorn"), ("Anaïs", "anais"), ("Łucja", "lucja"), ("Siân", "sian"), ("Kwabena", "kwabena"),
    ("Priyanka", "priyanka"), ("Nguyệt", "nguyet"), ("Olumide", "olumide"), ("Ffion", "ffion"), ("Caoimhe", "caoimhe"),
    ("ليلى", "layla"), ("يوسف", "yusuf"), ("נועה", "noa"), ("美咲", "misaki"), ("Θάλεια", "thalia"),
    ("Мирослава", "myroslava"), ("Percival", "percival"),
    ("Hortense", "hortense"), ("Barnaby", "barnaby"), ("Clementine", "clementine"),
)  # fmt: skip
_FAMILY = (
    ("Quillfeather", "quillfeather"), ("Mossbottom", "mossbottom"), ("Tanglewick", "tanglewick"),
    ("Puddlecroft", "puddlecroft"), ("Snickerby", "snickerby"), ("Thistlemere", "thistlemere"),
    ("Wobbleton", "wobbleton"), ("Fernsprocket", "fernsprocket"), ("Gooseberry-Hale", "gooseberryhale"),
    ("O'Bramble", "obramble"), ("Ó Sampla", "osampla"), ("Musterfräulein", "musterfraulein"),
    ("Příkladová", "prikladova"), ("Exemplarsson", "exemplarsson"), ("Deux-Virgules, Jr", "deuxvirgules"),
    ('"Dot" Fullstop', "fullstop"), ("Crumpetshaw", "crumpetshaw"), ("Inkblot", "inkblot"),
    ("Marzipan", "marzipan"), ("Lanternjaw", "lanternjaw"), ("النموذجي", "alnamudhaji"), ("לדוגמה", "ledugma"),
    ("例田", "reida"),
)  # fmt: skip


class Person(NamedTuple):
    """One invented person as one network knows them, in the columns of the export."""

    contact_profile_id: str
    contact_primary: str
    contact_secondary: str


class Agent(NamedTuple):
    """One invented member of the office's social media desk."""

    agent_id: str
    name: str


NO_AGENT = Agent("", "")
ROBOT = Agent("900000", "Automatic reply")
DESK = (
    Agent("900117", "Perpetua Desk"),
    Agent("900124", "Cuthbert Inbox"),
    Agent("900131", "Saoirse Answerly"),
    Agent("900148", "Idris Replywell"),
    Agent("900155", "Zuleika Threadgood"),
)


def people(rng: Random) -> dict[str, tuple[Person, ...]]:
    """Invent everybody, by network."""
    return {
        network: tuple(_person(rng, number, first + number, face) for number in range(PER_NETWORK))
        for first, (network, face) in zip(range(0, 10**6, PER_NETWORK), _FACES.items(), strict=False)
    }


def _person(rng: Random, number: int, distinct: int, face: _Face) -> Person:
    given, given_slug = _GIVEN[int(rng.random() * len(_GIVEN))]
    family, family_slug = _FAMILY[int(rng.random() * len(_FAMILY))]
    primary, secondary = face(rng, number, f"{given} {family}", f"{given_slug}.{family_slug}")
    return Person(str(10**9 + (rng.getrandbits(18) << 13 | distinct)), primary, secondary)


def _by_number(rng: Random, _number: int, name: str, _slug: str) -> tuple[str, str]:
    return str(2 * 10**15 + rng.getrandbits(52)), name


def _by_handle(_rng: Random, number: int, name: str, slug: str) -> tuple[str, str]:
    return f"{slug.partition('.')[0]}_demo{number}", name


def _by_mail(_rng: Random, number: int, name: str, slug: str) -> tuple[str, str]:
    return name, f"{slug}.{number}@example.org"


def _by_telephone(_rng: Random, number: int, name: str, _slug: str) -> tuple[str, str]:
    return f"+447700900{number:03d}", name


def _by_urn(rng: Random, _number: int, name: str, _slug: str) -> tuple[str, str]:
    return f"urn:li:person:{rng.getrandbits(40):010x}", name


_FACES: dict[str, _Face] = {
    "fb": _by_number,
    "twit": _by_handle,
    "instagram": _by_handle,
    "rtm": _by_mail,
    "whatsapp": _by_telephone,
    "linkedin": _by_urn,
}
