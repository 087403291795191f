"""Everything of a row that a rule can match on, worked out once for all rows that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.errors import FileRefusedError
from retention.model import MessageClass
from retention.sources.csv_export.header import PRIVATE_WHEN, PUBLIC_WHEN
from retention.sources.files.fields import MAX_CLASS_VALUE, check_text

if TYPE_CHECKING:
    from retention.sources.csv_export.format import CsvFormat

MAX_CLASSES = 10_000
"""Message classes that one item may show; more mean that a column of changing values is mapped by mistake."""

_MAX_SPELLINGS = 20_000


class ClassBook:
    """The message classes that one item has shown so far. ``known`` finds them by the values as they are written."""

    def __init__(self, source: str, csv_format: CsvFormat) -> None:
        """Begin with none."""
        self.known: dict[tuple[str, ...], MessageClass] = {}
        self._source = source
        self._format = csv_format
        self._distinct: dict[MessageClass, MessageClass] = {}
        self._in_doubt = False
        self._told = False

    def add(self, values: tuple[str, ...], line: int) -> MessageClass:
        """Work out the class of a row from the values of its class columns.

        Raises FieldError where one of the values is unfit, FileRefusedError where there are too many classes.
        """
        network, channel, direction, message_type, private_value, public_value = values
        visibility = self._format.visibility(private_value, public_value)
        message_class = MessageClass(
            source=self._source,
            network=self._checked("network", network).casefold(),  # as holds compare it
            channel=self._checked("channel", channel),
            direction=self._checked("direction", direction).lower(),
            visibility=visibility or "private",
            message_type=self._checked("message_type", message_type).lower(),
        )
        self._check_telling(PRIVATE_WHEN, private_value)
        self._check_telling(PUBLIC_WHEN, public_value)
        if visibility is None:
            self._in_doubt = True
        return self._remember(values, message_class, line)

    def take_doubt(self) -> bool:
        """Tell, once for the item, that a row was taken as private because nothing said what it is."""
        if not self._in_doubt or self._told:
            return False
        self._told = True
        return True

    def _checked(self, field: str, text: str) -> str:
        trimmed = text.strip()
        check_text(field, trimmed, longest=MAX_CLASS_VALUE)
        return trimmed

    def _check_telling(self, field: str, text: str) -> None:
        # May be a long text with line ends, a list of tags for example: only that it can be read matters.
        if not text.isprintable():
            check_text(field, "".join(text.split()), longest=len(text))

    def _remember(self, values: tuple[str, ...], message_class: MessageClass, line: int) -> MessageClass:
        shared = self._distinct.get(message_class)
        if shared is None:
            if len(self._distinct) >= MAX_CLASSES:
                reason = (
                    f"shows more than {MAX_CLASSES} combinations of network, channel, direction and message type; "
                    "one of them is mapped to a wrong column"
                )
                raise FileRefusedError(reason, line=line)
            shared = self._distinct.setdefault(message_class, message_class)
        if len(self.known) >= _MAX_SPELLINGS:
            self.known.clear()
        # A long value in a column that tells visibility is not a kind of message: it would fill the memory.
        if len(values[4]) <= MAX_CLASS_VALUE and len(values[5]) <= MAX_CLASS_VALUE:
            self.known[values] = shared
        return shared
