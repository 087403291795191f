"""Every word that the public reads, in one place for each language: the notice's paragraph and the page of the promise.

Another language is another class with the same members, named in :func:`words_in` and in the type of ``lang``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from retention.notice.periods import say_period_in_words
from retention.policy.words import say_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from retention.model import Period


class English:
    """The words in English."""

    lang: Final = "en"
    drill: Final = "DRILL: this page is an exercise. It does not speak of real messages."
    drill_title: Final = "DRILL: "
    title: Final = "How long we keep your private messages"
    as_of: Final = "As of"
    stale: Final = "If that is more than a few days ago, this page was not renewed and cannot say how things stand now."
    what_is_wrong: Final = "What is wrong"
    what_needs_care: Final = "What needs attention"
    figures: Final = "Today"
    detail: Final = "What the promise means"
    proof: Final = "How you can check this"
    oldest: Final = "Oldest message held"
    last: Final = "Last deletion run"
    next: Final = "Next deletion"
    legal: Final = "Kept longer by legal order"
    none_held: Final = "None"
    none_held_note: Final = "No message is held at the moment."
    oldest_note: Final = "The day on which it was received."
    no_run: Final = "None yet"
    no_run_note: Final = "No run has come to its end yet."
    nothing_to_go: Final = "Nothing is waiting"
    nothing_to_go_note: Final = "No message that is held is coming to the end of its time."
    due_now: Final = "Now"
    next_note: Final = "A message reaches the end of its time. The first run from that day on deletes it."
    legal_note: Final = "The law can require that a message is kept. It goes when the order is lifted."
    messages_label: Final = "Which messages"
    provider_label: Final = "Where they are stored"
    period_label: Final = "For how long"
    sharing_label: Final = "Shared with others"
    calendar: Final = (
        "Months are months of the calendar, counted from the day of receipt. A message received on 30 November "
        "and kept for three months goes on 1 March."
    )
    note_label: Final = "Newest signed checkpoint"
    signature_label: Final = "Its signature"
    no_note: Final = "No checkpoint has been signed yet."
    note_for: Final = (
        "Every deletion is written into a tamper-evident log. These three lines are its name, its number of entries "
        "and a fingerprint of all of them. Whoever keeps them can show later whether anything before them was "
        "altered or taken out."
    )
    steps: Final = (
        "Keep the three lines: save or print this page.",
        "Ask us for an export of the deletion log. It holds no personal data, and comes with a guide.",
        "Follow the guide. With tools that were not made by us it shows whether the export fits your lines.",
    )
    no_personal_data: Final = "This page holds no personal data, loads nothing from elsewhere and runs no script."
    made_by: Final = "Written by the program that deletes the messages."
    unchecked: Final = "The log that proves our deletions has not yet been checked in full."
    shared: ClassVar[Mapping[bool, str]] = {True: "with other organisations", False: "no"}
    headlines: ClassVar[Mapping[str, str]] = {
        "kept": "The promise is kept",
        "at_risk": "The promise is at risk",
        "broken": "The promise is not kept",
    }
    standings: ClassVar[Mapping[str, str]] = {
        "kept": "As far as we know no message is kept for longer than we say{but}.",
        "at_risk": "As far as we know no message is kept for longer than we say{but}. Something needs attention.",
        "broken": "We do not do what we say. It must be put right.",
    }
    since: ClassVar[Mapping[str, str]] = {
        "made": "Kept since {day}, the day on which the register was made. Of the time before we cannot speak.",
        "mended": "Kept since {day}.",
        "broken": "Not kept since {day}, as far as we know.",
        "found": "Found on {day} not to be kept. Since when that was so is not known.",
        "unknown": "It was not kept when this page was written. Since when is not known.",
    }
    breaks: ClassVar[Mapping[str, str]] = {
        "overdue": "Messages were still here that should have been deleted.",
        "log": "The log that proves our deletions did not pass its own check.",
        "source": "{provider} was shown to hold messages that should have been deleted there.",
    }
    troubles: ClassVar[Mapping[str, str]] = {
        "overdue": "Messages are still here that should have been deleted.",
        "log": "The log that proves our deletions does not pass its own check.",
        "source_broken": "{provider} was shown to hold messages that should have been deleted there.",
        "source": "It is not shown for every deleted message that {provider} has deleted its copy too.",
        "notice": "Our privacy notice may not say what we do.",
        "arrival": "Messages did not arrive as expected, so there may be some that we do not know of.",
        "records": "Some records could not be read, so there may be messages that we do not know of.",
        "proof": "Part of the proof of our deletions must be checked.",
        "stopped": "A safety check stopped a deletion. A person must decide how it goes on.",
        "traces": "Traces of deleted messages may be left in our files.",
        "holds": "A legal order to keep messages is late for its review.",
        "other": "Something must be looked at by a person.",
    }

    def standing(self, state: str, *, held: int) -> str:
        """Say how things stand; what the law keeps is no lie, but must be said."""
        return self.standings[state].format(but=", but for what the law requires" if held else "")

    def broken_before(self, first: date, last: date) -> str:
        """Say when the promise was broken before it was put right."""
        when = f"on {self.day(last)}" if first == last else f"from {self.day(first)} to {self.day(last)}"
        return f"Before that it was not kept {when}, as far as we know."

    def messages(self, match: Mapping[str, tuple[str, ...]], surfaces: str, *, other: bool) -> str:
        """Say which messages a rule covers, as a person who writes one would."""
        visible = {value.casefold() for value in match.get("visibility", ())}
        kind = {frozenset({"private"}): "private or direct message", frozenset({"public"}): "public message"}.get(
            frozenset(visible), "message"
        )
        which = "any other" if other else "a"
        said = f"{which} {kind}"
        if types := match.get("message_type"):
            said += f" of the type {self.choice(f'“{one}”' for one in types)}"
        said += f" via {self.choice(match['network'])}" if "network" in match else f" via {surfaces}"
        if channels := match.get("channel"):
            said += f" in the channel {self.choice(f'“{one}”' for one in channels)}"
        return said

    def stored(self, what: str, provider: str, keep: Period, *, outbound: bool) -> str:
        """Say where what is stored for how long."""
        begin = f"If we send you {what}" if outbound else f"If you send us {what}"
        return f"{begin}, the message will be stored by {provider} for {self.period(keep)}."

    def sharing(self, *, shared: bool, many: bool) -> str:
        """Say whether messages are shared."""
        subject = "They" if many else "It"
        return (
            f"{subject} {'may' if shared else 'will not'} be shared with {'' if shared else 'any '}other organisations."
        )

    def period(self, keep: Period) -> str:
        """Spell a period."""
        return say_period_in_words(keep)

    def day(self, day: date) -> str:
        """Spell a day."""
        return say_day(day)

    def choice(self, values: Iterable[str]) -> str:
        """Join alternatives."""
        found = list(values)
        return " or ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)

    def disposed(self, count: int) -> str:
        """Say how much a run deleted."""
        return (
            "No message had to be deleted."
            if not count
            else f"It deleted {count:,} message{'' if count == 1 else 's'}."
        )

    def waiting(self, count: int) -> str:
        """Say how much goes in the next run."""
        return f"{count:,} message{'' if count == 1 else 's'} came to the end of the time."

    def held(self, count: int) -> str:
        """Count messages that a legal order keeps."""
        return f"{count:,} message{'' if count == 1 else 's'}"


def words_in(lang: str) -> English:
    """Give the words of a language that ``lang`` of ``[notice]`` may name."""
    return {English.lang: English}[lang]()
