"""Records of a JSON file one by one, with nothing kept but the few short values that are asked for.

The file is never held as a whole: a parser that is fed portions reports every key and value as it passes, so memory
is bounded by one record, and by the bound on unfinished bytes where there are no records.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ijson  # type: ignore[import-untyped]  # the library has no types

from retention.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.sources.files.bytestream import GuardedBytes

Value = object
Record = dict[str, Value]

_PORTION = 64 * 1024
_DEEPEST = 100
_LONGEST_KEY = 200
_SCALARS = frozenset({"string", "number", "boolean", "null"})
_ENDS = _SCALARS | {"end_map", "start_array"}  # of an object, and of what stands where an object should
# ValueError and ArithmeticError: numbers of absurd length, in other builds of the library.
_BROKEN = (ijson.JSONError, ValueError, ArithmeticError)


class JsonRecords:
    """The records that stand at one place of a JSON document, named such as ``item.messages.item``.

    ``around`` is filled while reading: every scalar of the places named beside the records, in a list each; it begins
    anew where an object opens at ``anew``. ``begins_with`` is the kind of the document's first value.
    """

    def __init__(
        self,
        stream: GuardedBytes,
        at: str,
        fields: frozenset[str],
        *,
        around: tuple[str, ...] = (),
        anew: str | None = None,
    ) -> None:
        """Take the bytes, where records stand, which of their values are wanted, and what is wanted beside them."""
        self.around: dict[str, list[Value]] = {place: [] for place in around}
        self.begins_with = ""
        self._stream = stream
        self._at = at
        self._fields = fields
        self._anew = anew

    def read(self, begun: bytes = b"") -> Iterator[tuple[int, Record | None]]:
        """Give the number of each record, from 1, and its wanted values, or None where it is no object.

        An object among the wanted values counts as True. ``begun`` are bytes that were read already.
        Raises FileRefusedError where the document is damaged; records before that stay valid.
        """
        at, inside = self._at, f"{self._at}."
        number = 0
        record: Record | None = None
        try:
            for prefix, event, value in self._events(begun):
                if record is not None and prefix.startswith(inside):
                    self._note(record, prefix[len(inside) :], event, value)
                elif prefix != at:
                    self._note_around(prefix, event, value)
                elif event == "start_map":
                    record = {}
                elif event in _ENDS:
                    number += 1
                    yield number, record
                    record = None
                    self._stream.mark_finished()
        except _BROKEN:
            where = f"after message {number}" if number else "before its first message"
            reason = f"is not valid JSON: it is damaged or incomplete {where}"
            raise FileRefusedError(reason) from None

    def _note(self, record: Record, name: str, event: str, value: Value) -> None:
        if name in self._fields and (event in _SCALARS or event == "start_map"):
            record[name] = True if event == "start_map" else value

    def _note_around(self, prefix: str, event: str, value: Value) -> None:
        if prefix in self.around and event in _SCALARS:
            self.around[prefix].append(value)
        elif prefix == self._anew and event == "start_map":
            for values in self.around.values():
                values.clear()

    def _events(self, begun: bytes) -> Iterator[tuple[str, str, Value]]:
        """Give each event but keys, and the place of its value; the library's own places grow without a bound."""
        containers: list[str] = []
        place = ""
        for event, value in self._parsed(begun):
            if event == "map_key":
                place = _within(containers[-1], str(value)[:_LONGEST_KEY])
            elif event in {"start_map", "start_array"}:
                yield place, event, value
                containers.append(place)
                if len(containers) > _DEEPEST:
                    reason = "is nested so deeply that it is no export of messages"
                    raise FileRefusedError(reason)
                place = _within(place, "item") if event == "start_array" else place
            else:
                place = containers.pop() if event in {"end_map", "end_array"} else place
                yield place, event, value

    def _parsed(self, begun: bytes) -> Iterator[tuple[str, Value]]:
        found = ijson.sendable_list()
        # Else whole numbers have no bound, and one of thousands of digits breaks the library itself.
        parser = ijson.basic_parse_coro(found, use_float=True)
        try:
            yield from self._fed(parser, found, begun)
        except BaseException:
            # A parser that is left unclosed complains on stderr when it is collected.
            with suppress(*_BROKEN):
                parser.close()
            raise

    def _fed(self, parser: Any, found: list[tuple[str, Value]], begun: bytes) -> Iterator[tuple[str, Value]]:  # noqa: ANN401  # the library has no types
        portion = begun or self._stream.read(_PORTION)
        ended = False
        while not ended:
            ended = not portion
            broken: Exception | None = None
            try:
                if ended:
                    parser.close()
                else:
                    parser.send(portion)
            except _BROKEN as error:
                broken = error
            # What was understood before the damage counts, however the bytes were portioned.
            if found and not self.begins_with:
                self.begins_with = found[0][0]
            yield from found
            del found[:]
            if broken is not None:
                raise broken
            if not ended:
                portion = self._stream.read(_PORTION)


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
