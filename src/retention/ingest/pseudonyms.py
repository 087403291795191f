"""Turn identifiers into keyed pseudonyms, with one key for each month in which messages were received.

A key that is made here is recorded with an entry before anything is registered under it, and every active hold that
names a message, conversation or contact gets that identifier's pseudonym under the new key, so that a hold goes on
covering what arrives later. A key that the database knows but whose file is gone stops the import: making another one
in its place would quietly break holds and look-ups. A key that was destroyed on schedule is never made again either;
a message that would need it is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.entry import entry
from retention.audit.pseudonym import Pseudonymiser, month_of
from retention.errors import KeyDestroyedError
from retention.store import holds, month_keys, register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from retention.audit.keys import MonthKeys
    from retention.audit.log import AuditLog
    from retention.policy.hold import Selector
    from retention.store.engine import Database

PSEUDONYMOUS: tuple[Selector, ...] = ("message", "conversation", "contact")
ANY_SOURCE = ""
"""Conversations and contacts are the same whatever source mentions them."""


class Pseudonyms:
    """Pseudonyms under the month keys of one register."""

    def __init__(self, database: Database, log: AuditLog, keys: MonthKeys) -> None:
        """Remember where keys are kept and where their making is recorded."""
        self._database = database
        self._log = log
        self._keys = keys
        self._by_month: dict[str, Pseudonymiser | None] = {}

    def for_time(self, received_at: int, now: datetime) -> Pseudonymiser:
        """Give the pseudonymiser for messages received at an instant (epoch seconds), making its key at first use.

        Raises:
            KeyDestroyedError: the key of that month was destroyed on schedule.
            KeyFileError: the key is lost or cannot be used.

        """
        month = month_of(received_at)
        if month not in self._by_month:
            self._by_month[month] = self._open(month, now)
        if (found := self._by_month[month]) is None:
            msg = (
                "belongs to a month whose key was destroyed when every rule had run out for it; was the schedule made "
                "longer since, or is the clock wrong?"
            )
            raise KeyDestroyedError(msg)
        return found

    def know_source(self, name: str) -> int:
        """Give a source's number; at first use holds on single messages are extended to it."""
        with self._database.read() as connection:
            known = name in register.source_names(connection)
        with self._database.write() as connection:
            number = register.source_number(connection, name)
            if not known:
                self._extend_holds(connection, self._keys.months())
        return number

    def of_identifiers(
        self, connection: Connection, wanted: Mapping[Selector, Iterable[str]], months: Iterable[str] | None = None
    ) -> dict[Selector, set[str]]:
        """Give every pseudonym that identifiers have under the keys of some months, or of all that exist."""
        sources = register.source_names(connection)
        keys = [self._keys.get(month) for month in (self._keys.months() if months is None else months)]
        makers = [Pseudonymiser(key) for key in keys if key is not None]
        return {
            selector: {
                value
                for identifier in identifiers
                for maker in makers
                for value in _pseudonyms(maker, selector, sources, identifier)
            }
            for selector, identifiers in wanted.items()
        }

    def of_message(self, connection: Connection, message_id: str) -> dict[str, str]:
        """Give every pseudonym that a message may have, and the source whose message that would be."""
        keys = [self._keys.get(month) for month in self._keys.months()]
        makers = [Pseudonymiser(key) for key in keys if key is not None]
        sources = register.source_names(connection)
        return {maker.message(source, message_id): source for maker in makers for source in sources}

    def _open(self, month: str, now: datetime) -> Pseudonymiser | None:
        with self._database.read() as connection:
            known = month_keys.find(connection, month)
        if known is not None and known.condemned_at is not None:
            return None
        key, _ = self._keys.ensure(month, known=known is not None)
        if known is None:
            self._record(month, now)
        elif known.empty_since is not None:
            with self._database.write() as connection:
                month_keys.set_empty_since(connection, month, None)
        return Pseudonymiser(key)

    def _record(self, month: str, now: datetime) -> None:
        commitment = self._keys.commitment(month)
        with self._database.write() as connection:
            self._log.lock(connection)
            if month_keys.find(connection, month) is not None:
                return  # whoever takes events of webhooks has no lease and may have been first
            self._log.append(connection, [entry("key_created", now, month=month, commitment=commitment)])
            month_keys.add_month(connection, month, commitment, now)
            self._extend_holds(connection, [month])

    def _extend_holds(self, connection: Connection, months: Iterable[str]) -> None:
        months = list(months)
        for hold_id, sealed in holds.sealed_identifiers(connection).items():
            wanted = {
                selector: [self._keys.unseal(token) for token in sealed.get(selector, [])] for selector in PSEUDONYMOUS
            }
            holds.add_selectors(connection, hold_id, self.of_identifiers(connection, wanted, months))


def _pseudonyms(maker: Pseudonymiser, selector: Selector, sources: list[str], identifier: str) -> list[str]:
    if selector == "message":
        return [maker.message(source, identifier) for source in sources]
    if selector == "conversation":
        return [maker.conversation(ANY_SOURCE, identifier)]
    return [maker.contact(ANY_SOURCE, identifier)]
