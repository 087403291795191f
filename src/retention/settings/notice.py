"""The table ``[notice]``: what the organisation tells the public, beside what the schedule says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from retention.settings.fields import FilePath, HttpAddress, Name, Text
from retention.settings.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retention.settings.table import Wrong


class NoticeSettings(Table):
    """Who makes the promise, who stores the messages, where the promise is published, and where the page for all."""

    organisation: Text
    provider: Text
    shared: Annotated[bool, Field(strict=True)] = False
    surfaces: Text = "social media"
    rule: Name | Annotated[list[Name], Field(min_length=1)] | None = None
    url: HttpAddress | None = None
    file: FilePath | None = None
    page: FilePath | None = None
    lang: Literal["en"] = "en"

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        if given.get("page") is not None and given.get("page") == given.get("file"):
            yield ("page",), "is the published notice itself; the page would take its place"

    @property
    def rules(self) -> tuple[str, ...] | None:
        """The rules that the notice speaks of, or None for every rule."""
        return (self.rule,) if isinstance(self.rule, str) else None if self.rule is None else tuple(self.rule)


def wrong_rules(given: Mapping[str, object]) -> Iterator[Wrong]:
    """Say where the notice speaks of a rule that the schedule does not have."""
    notice, schedule = given.get("notice"), given.get("schedule")
    rules = schedule.get("rule") if isinstance(schedule, dict) else None
    named = notice.get("rule") if isinstance(notice, dict) else None
    if not isinstance(rules, list) or named is None:
        return
    known = {rule.get("name") for rule in rules if isinstance(rule, dict) and isinstance(rule.get("name"), str)}
    if any(isinstance(name, str) and name not in known for name in (named if isinstance(named, list) else [named])):
        yield ("notice", "rule"), "the schedule has no rule of this name"
