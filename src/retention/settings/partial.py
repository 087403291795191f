"""What is right of a configuration that is not right as a whole: for who says what else is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from retention.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# What stands in for a table that must be there: nothing is done with it, because the table is told to be wrong.
_STAND_INS: dict[str, Any] = {
    "database": {"url": "sqlite:///nowhere"},
    "paths": {"state": "nowhere"},
    "schedule": {"time_zone": "UTC", "rule": [{"name": "none", "keep": "P1D", "authority": "none"}]},
    "source": [{"name": "none", "kind": "hootsuite-webhook"}],
}


class Part(NamedTuple):
    """The configuration with stand-ins, and the names of the tables that are wrong."""

    settings: Settings
    wrong: frozenset[str]


def what_is_right(data: Mapping[str, Any]) -> Part:
    """Leave out of a configuration what is wrong in it: a table of a list alone, any other table whole."""
    kept, wrong = dict(data), set[str]()
    while True:
        try:
            return Part(Settings.model_validate(kept), frozenset(wrong))
        except ValidationError as error:
            before = dict(kept)
            for place in {tuple(problem["loc"][:2]) for problem in error.errors()}:
                _leave_out(kept, wrong, *place)
            _close_ranks(kept, wrong)
            if kept == before:
                kept = dict(_STAND_INS)
                wrong |= kept.keys()


def _leave_out(kept: dict[str, Any], wrong: set[str], name: str | int = "", number: str | int = "") -> None:
    tables = kept.get(str(name))
    if isinstance(number, int) and isinstance(tables, list):
        kept[str(name)] = [None if place == number else table for place, table in enumerate(tables)]
        return
    wrong.add(str(name))
    kept.pop(str(name), None)
    if name in _STAND_INS:
        kept[str(name)] = _STAND_INS[str(name)]


def _close_ranks(kept: dict[str, Any], wrong: set[str]) -> None:
    for name, tables in list(kept.items()):
        if isinstance(tables, list) and None in tables:
            kept[name] = [table for table in tables if table is not None]
            if not kept[name]:
                _leave_out(kept, wrong, name)
