"""The schedule in plain English, for ``check`` and for people who sign it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.policy.period import expires_on

if TYPE_CHECKING:
    from datetime import date

    from retention.model import Period
    from retention.policy.schedule import Rule, Schedule

_MONTHS = 12
_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def say_day(day: date) -> str:
    """Spell a day as ``30 November 2026``, whatever the locale.

    Args:
        day: any day.

    Returns:
        Day, English month name and year.

    """
    return f"{day.day} {_NAMES[day.month - 1]} {day.year}"


def say_period(period: Period) -> str:
    """Spell a period as ``1 year, 6 months and 10 days``.

    Args:
        period: any retention period.

    Returns:
        Years, months and days that are not zero.

    """
    years, months = divmod(period.months, _MONTHS)
    parts = [(years, "year"), (months, "month"), (period.days, "day")]
    return _join([f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n], "and")


def say_count(number: int, noun: str) -> str:
    """Spell a number of things as ``1 entry`` or ``2 entries``.

    Args:
        number: how many.
        noun: the thing, one of it.

    Returns:
        The number in digits and the noun, in the plural where it is not one.

    """
    if number == 1:
        return f"1 {noun}"
    if noun.endswith(("ch", "s")):
        return f"{number} {noun}es"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ry") else f"{number} {noun}s"


def say_rule(rule: Rule, example_on: date) -> str:
    """Say in one sentence what a rule does, with an example.

    Args:
        rule: the rule.
        example_on: the local day of receipt to work through.

    Returns:
        One English sentence.

    """
    last_day = expires_on(example_on, rule.keep)
    purged_on = type(last_day).fromordinal(last_day.toordinal() + 1)
    short = f"{purged_on.day} {_NAMES[purged_on.month - 1]}"
    purged = short if purged_on.year == last_day.year else say_day(purged_on)
    return (
        f"{_say_match(rule)} are kept for {say_period(rule.keep)}: one received on {say_day(example_on)} "
        f"may be kept through {say_day(last_day)} and is purged from {purged}."
    )


def say_schedule(schedule: Schedule, example_on: date) -> list[str]:
    """Say the whole schedule back, a sentence for each rule in its order and one for what no rule covers.

    Args:
        schedule: the schedule.
        example_on: the local day of receipt to work through.

    Returns:
        Sentences in order; a rule below another speaks of what is left, and one below a rule for everything of nothing.

    """
    sentences: list[str] = []
    for rule in schedule.rules:
        said = say_rule(rule, example_on)
        sentences.append(f"Of what is left, {said[0].lower()}{said[1:]}" if sentences else said)
        if not rule.match:
            below = schedule.rules[len(sentences) :]
            return [
                *sentences,
                *(f'Rule "{other.name}" is never reached: a rule above it covers everything.' for other in below),
            ]
    return [*sentences, "Messages that no rule covers are counted and not registered."]


def _say_match(rule: Rule) -> str:
    match = rule.match
    visibility = _join(sorted(match.get("visibility", ())), "and")
    direction = _join(sorted(match.get("direction", ())), "and")
    adjectives = [word for word in (direction, visibility) if word]
    what = " ".join([*adjectives, "messages"])
    if "message_type" in match:
        what += f" of type {_quoted(match['message_type'])}"
    if "network" in match:
        what += f" on {_quoted(match['network'])}"
    if "channel" in match:
        what += f" in channel {_quoted(match['channel'])}"
    what += f" from {_quoted(match['source'])}" if "source" in match else " from every source"
    return what[0].upper() + what[1:]


def _quoted(values: tuple[str, ...]) -> str:
    return _join([f'"{value}"' for value in sorted(values)], "or")


def _join(words: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
