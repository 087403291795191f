"""Every host that a configuration names, so that what may leave the machine can be held against it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.settings.schema import Settings

_POSTGRES = 5432
_PORTS = {"http": 80, "https": 443}


class Way(NamedTuple):
    """One way out: what for, to which host and port. A host that begins with a slash is a socket of this machine.

    ``by_people`` is one that no job goes, only a command that a person gives.
    """

    purpose: str
    host: str
    port: int
    by_people: bool = False


def ways_out(settings: Settings) -> list[Way]:
    """List every way out that a configuration names. Whoever adds a table that names a host adds it here."""
    tables = (_sources, _anchors, _people, _notice)
    return [*_database(settings.database.url), *chain.from_iterable(ways(settings) for ways in tables)]


def _database(url: str) -> Iterator[Way]:
    if url.startswith("sqlite:"):
        return
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    where = parts.netloc.rpartition("@")[2]
    hosts = ",".join(query.get("host", [])) or where
    ports = ",".join(query.get("port", [])).split(",")
    for number, host in enumerate(hosts.split(",")):
        name, port = _split(host)
        given = port or ports[min(number, len(ports) - 1)]
        yield Way("database", name or "/run/postgresql", int(given) if given.isdigit() else _POSTGRES)


def _split(host: str) -> tuple[str, str]:
    """Give host and port of one that may be an IPv6 address in brackets, bare or none."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name, port.removeprefix(":")
    if host.count(":") == 1 and not host.startswith("/"):
        name, _, port = host.partition(":")
        return name, port
    return host, ""


def _sources(settings: Settings) -> Iterator[Way]:
    for source in settings.source:
        if source.host is not None:
            yield Way(f"source {source.name}", source.host.strip("[]"), source.port)
        elif source.url is not None and not source.is_webhook:
            yield from _of_url(f"source {source.name}", source.url)


def _anchors(settings: Settings) -> Iterator[Way]:
    for anchor in settings.anchor:
        address = anchor.address or anchor.url
        if address is not None and address.startswith("/"):
            yield Way(f"anchor {anchor.name}", address, 0)
        elif address is not None:
            yield from _of_url(f"anchor {anchor.name}", address)


def _people(settings: Settings) -> Iterator[Way]:
    for channel in settings.notify:
        yield from (Way(f"notify {channel.name}", host, port) for host, port in channel.hosts)


def _notice(settings: Settings) -> Iterator[Way]:
    if settings.notice is not None and settings.notice.url is not None:
        by_people = "notice" not in settings.job_times  # no unit does it then
        yield from (way._replace(by_people=by_people) for way in _of_url("notice check", settings.notice.url))


def _of_url(purpose: str, url: str) -> Iterator[Way]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # said of the key itself
        return
    if host:
        yield Way(purpose, host, port)
