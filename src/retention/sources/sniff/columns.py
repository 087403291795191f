"""Which column is which, by the similarity of its name and by what it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from retention.sources.sniff.dates import guess_dates, guess_epoch

if TYPE_CHECKING:
    from retention.sources.sniff.dates import DateGuess
    from retention.sources.sniff.table import Sample

CLASS_FIELDS = ("network", "channel", "direction", "message_type")
"""Fields that tell kinds of messages apart: they have few values."""

# Ordered: the first names are the likeliest. Written without case, blanks and marks.
_NAMES = {
    "message_id": (
        *("messageid", "msgid", "itemid", "contentid", "id", "messageguid", "guid", "uuid", "conversationpartid"),
        *("partid", "postid", "nachrichtid", "nachrichtenid", "idmessage", "idmensaje", "berichtid"),
    ),
    "received_at": (
        *("receivedat", "createdat", "messagecreatedat", "createdatutc", "createddate", "timestamp", "timestampet"),
        *("datetime", "sentat", "datesent", "senton", "receivedon", "date", "created", "time", "publishedat"),
        *("dateutc", "erstelltam", "zeitstempel", "datum", "datedecreation", "unixtime", "unixtimestamp", "epoch"),
        *("createdutc", "timestampms", "zeit", "fecha", "fechahora", "horodatage", "tijdstip", "ts"),
    ),
    "conversation_id": (
        *("conversationid", "threadid", "contentthreadid", "thread", "conversation", "caseid", "ticketid", "chatid"),
        *("konversationid", "ticket"),
    ),
    "contact": (
        *("contactprofileid", "contactid", "authorid", "senderid", "messageauthorid", "customerid", "userid"),
        *("fromid", "from", "sender", "author", "contact", "customer", "username", "absenderid", "absender"),
    ),
    "network": (
        *("network", "medium", "platform", "sourcetype", "socialnetwork", "channeltype", "provider", "service"),
        *("netzwerk", "source"),
    ),
    "channel": ("channel", "sourcename", "channelname", "profile", "account", "accountname", "page", "inbox", "kanal"),
    "direction": (
        *("direction", "itemdirection", "messagedirection", "way", "inout", "authortype", "messageauthortype"),
        *("sendertype", "richtung", "sens"),
    ),
    "message_type": ("messagetype", "itemtype", "type", "parttype", "contenttype", "posttype", "kind", "typ", "art"),
}
_ALIKE = 0.82
_FEW = 50
_LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Mapping:
    """The column of each field that was found, which of them by a known name, and how times are written."""

    columns: dict[str, str]
    by_name: frozenset[str]
    dates: DateGuess | None


def map_columns(sample: Sample) -> Mapping:
    """Find a column for every field; the least are an identifier and a time, which may be missing from the answer."""
    dates = {name: guess for name in sample.header if name and (guess := times_of(sample, name))}
    scored = [
        (_likeness(field, name), field, name)
        for field in _NAMES
        for name in sample.header
        if name and _can_be(field, name, sample, dates)
    ]
    columns: dict[str, str] = {}
    by_name = set()
    for likeness, field, name in sorted(scored, key=lambda one: -one[0]):
        if likeness >= _ALIKE and field not in columns and name not in columns.values():
            columns[field] = name
            if likeness >= 1:
                by_name.add(field)
    if "received_at" not in columns and (times := [name for name in dates if name not in columns.values()]):
        columns["received_at"] = times[0]
    if "message_id" not in columns:
        taken = {*columns.values(), *dates}
        candidates = [name for name in sample.header if name and name not in taken and _is_identifier(name, sample)]
        columns.update({"message_id": name} if (name := next(iter(candidates), "")) else {})
    ordered = {field: columns[field] for field in _NAMES if field in columns}
    return Mapping(ordered, frozenset(by_name), dates.get(columns.get("received_at", "")))


def times_of(sample: Sample, name: str) -> DateGuess | None:
    """Find how a column writes its times; bare numbers are times only in a column that is called so."""
    values = sample.column(name)
    found = guess_dates(values)
    if found is None and _likeness("received_at", name) >= _ALIKE:
        return guess_epoch(values)
    return found


def few_values(sample: Sample, name: str) -> list[str]:
    """Give the different values of a column in order, or nothing where there are too many to be kinds."""
    values = sample.column(name)
    different = sorted(set(values))
    return different if len(different) <= min(_FEW, max(len(values) // 2, 3)) else []


def bare(name: str) -> str:
    """Give a column's name without case, blanks and marks."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _likeness(field: str, name: str) -> float:
    """Give 1 and more for a known name, more for a likelier one; below that how similar the most similar one is."""
    names, this = _NAMES[field], bare(name)
    if this in names:
        return 1 + (len(names) - names.index(this)) / 100
    return max(SequenceMatcher(None, this, other).ratio() for other in names if len(other) > 3)  # noqa: PLR2004 - shorter ones resemble anything


def _can_be(field: str, name: str, sample: Sample, dates: dict[str, DateGuess]) -> bool:
    if not sample.rows:
        return True
    if field == "received_at":
        return name in dates
    if name in dates:
        return False
    if field == "message_id":
        return _is_identifier(name, sample)
    return field not in CLASS_FIELDS or bool(few_values(sample, name)) or not sample.column(name)


def _is_identifier(name: str, sample: Sample) -> bool:
    values = sample.column(name)
    # A few rows without or with a repeated identifier are slips of the file; the count will tell of them.
    return (
        len(set(values)) >= 0.8 * len(sample.rows) > 0
        and max(map(len, values)) <= _LONGEST_ID
        and not any(re.search(r"\s", value) for value in values)
    )
