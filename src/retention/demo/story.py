"""What people write to an invented statistics office, and what it answers.

Everything that can be said is spelled out once, so that picking one of a tuple is all that telling a message takes.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from retention.demo.awkward import AWKWARD

_SLOTS = {
    "survey": ("Household Survey", "Labour Survey", "Food Prices Survey", "Travel Diary", "Health Study", "Time Diary"),
    "figure": ("inflation", "unemployment", "wage", "population", "trade", "house price"),
    "place": ("Upper Northfold", "Millbrook-on-Sea", "Saint Example", "Little Comma", "Quotewick"),
    "day": ("Monday", "Tuesday", "last week", "yesterday", "this morning"),
}
_USUAL_FOR_EACH_AWKWARD = 49


class Said(NamedTuple):
    """Something a member of the public writes, and the sentiment that the export gives it."""

    text: str
    sentiment: str


class Theme(NamedTuple):
    """One thing people write about: its tags, and what can be said at each point of a conversation."""

    tags: str
    questions: tuple[Said, ...]
    comments: tuple[Said, ...]
    follow_ups: tuple[Said, ...]
    answers: tuple[str, ...]


def _spell_out(*templates: str) -> tuple[str, ...]:
    texts: list[str] = []
    for template in templates:
        names = [name for name in _SLOTS if f"{{{name}}}" in template]
        texts += (template.format(**dict(zip(names, v, strict=True))) for v in product(*(_SLOTS[n] for n in names)))
    return tuple(texts)


def _said(texts: tuple[str, ...], mood: tuple[str, ...]) -> tuple[Said, ...]:
    usual = tuple(Said(*pair) for pair in product(texts, mood))
    times = -(-_USUAL_FOR_EACH_AWKWARD * len(AWKWARD) // len(usual))
    return usual * times + tuple(Said(text, "neutral") for text in AWKWARD)


def _theme(
    tags: str, *, mood: tuple[str, ...], questions: tuple[str, ...], answers: tuple[str, ...], comments: tuple[str, ...]
) -> Theme:
    return Theme(tags, _said(questions, mood), _said(comments, mood), _said(_FOLLOW_UPS, mood), answers)


_FOLLOW_UPS = (
    "ok", "Yes please", "And by when?", "It is for my mother, she is not online.", "Sure: 7 Sample Lane, Quotewick",
    "Hello? Anyone there?", "I sent it twice now", "Number ends in 014", "Same as last time, really.",
    "No, the other one", "I would rather not say that here", "Reference is NF/2291/B, date 03/04",
)  # fmt: skip
THEMES = (
    _theme(
        "survey, letter",
        mood=("neutral", "neutral", "negative"),
        questions=_spell_out(
            "Hello, I got a letter about the {survey} {day}. Is it genuine?",
            "Do I have to take part in the {survey}? I am 84.",
            "Someone from the {survey} knocked here in {place}, was that you?",
        ),
        answers=_spell_out(
            "Thank you for asking. The {survey} is ours and the letter is genuine.",
            "Taking part in the {survey} is up to you.",
            "Yes, an interviewer of the {survey} was in {place} {day}.",
        ),
        comments=_spell_out(
            "Got one of these {survey} letters {day}, binned it",
            "Is the {survey} still a thing in {place}?",
        ),
    ),
    _theme(
        "voucher",
        mood=("negative", "negative", "neutral"),
        questions=_spell_out(
            "I did the {survey} weeks ago and there is still no voucher.",
            "My voucher for the {survey} does not work in {place}.",
        ),
        answers=_spell_out("We are sorry. A new voucher for the {survey} is on its way.", "Sorry! Which shop was it?"),
        comments=_spell_out("Still waiting for my {survey} voucher...", "Voucher came {day}, cheers"),
    ),
    _theme(
        "figures, data",
        mood=("neutral", "neutral", "positive"),
        questions=_spell_out(
            "When do the next {figure} figures come out?",
            "Where can I download {figure} data for {place}?",
            "The {figure} spreadsheet from {day} will not open.",
        ),
        answers=_spell_out(
            "The {figure} figures are out on the 15th at 7:00.",
            "The {figure} table for {place} is on our data page, sheet 3.",
        ),
        comments=_spell_out(
            "These {figure} numbers cannot be right",
            "Great chart on {figure}, thank you",
            "What about {place}? Nobody counts us",
        ),
    ),
    _theme(
        "census",
        mood=("neutral", "positive", "neutral"),
        questions=_spell_out(
            "I am looking for my grandmother in the 1921 census, she lived in {place}.",
            "How do I get a paper form in large print?",
            "I lost my access code {day}.",
        ),
        answers=_spell_out(
            "Census pages for {place} are with the archive, not with us.",
            "A paper form in large print goes out to you on {day}.",
        ),
        comments=_spell_out("Counted in {place} since 1841", "Loved the census post from {day}"),
    ),
    _theme(
        "privacy",
        mood=("neutral", "negative"),
        questions=_spell_out(
            "How long do you keep these messages?",
            "Please delete my answers to the {survey}.",
            "Who can see what I told your {survey} person {day}?",
        ),
        answers=_spell_out(
            "Messages that you send us here are kept for three months and shared with nobody.",
            "Your answers to the {survey} are kept apart from your name.",
        ),
        comments=_spell_out("Who reads my {survey} answers then?"),
    ),
    _theme(
        "jobs, interviewer",
        mood=("positive", "neutral"),
        questions=_spell_out("Are you hiring interviewers in {place}?", "Did my application for {place} arrive {day}?"),
        answers=_spell_out("Yes, posts in {place} open on {day}.", "Your application for {place} is with the team."),
        comments=_spell_out("Best job I ever had, interviewing in {place}"),
    ),
)

THANKS = _said((
    "Thanks, that helps!", "Brilliant, thank you 🙏", "Ta", "OK, bye", "Many thanks, and a good weekend", "👍",
    "Not really an answer, but thanks",
), ("positive", "positive", "neutral"))  # fmt: skip
FAREWELLS = (
    "Glad we could help.",
    "You are welcome. Have a good day!",
    "Kind regards,\nNorthfold Statistics, social media desk",
    "We close this conversation now; write again at any time.\n\nThe Northfold team",
)
ROBOT_LINES = (
    "Thank you for your message. We answer from Monday to Friday, 8 to 18 h.",
    "You are talking to our automatic assistant. A person answers in working hours.",
)
