"""What every command works with: the configuration, the database, the log, the schedule and the keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retention.anchors.catalog import anchor_files, build_anchors
from retention.audit import rotation, signing
from retention.audit.epoch import epoch_of
from retention.audit.keys import MonthKeys, load_verifier
from retention.audit.log import AuditLog
from retention.audit.memory import Memory, remember
from retention.audit.soundness import find_fault
from retention.configured import INTERFACE, configured_account, configured_pickup, configured_source
from retention.errors import KeyFileError, SchemaError, UsageError
from retention.ingest.inbox import EventInbox
from retention.ingest.pseudonyms import Pseudonyms
from retention.model import from_epoch
from retention.policy.coverage import Watched
from retention.policy.schedule import Schedule, configured_schedule
from retention.settings.secrets import read_secret
from retention.sources.catalog import build_listing, build_remover
from retention.store import holds, inbox
from retention.store import month_keys as months
from retention.store.engine import Database, open_database
from retention.store.schema import Installation, check_version, load_installation

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from retention.anchors.interface import Anchor
    from retention.audit.checkpoint import Signer, VerifierKey
    from retention.audit.soundness import Fault
    from retention.settings import Settings
    from retention.sources.interface import Listing, Pickup, Remover, Source


@dataclass(frozen=True, slots=True)
class Context:
    """One installation, opened."""

    settings: Settings
    database: Database
    log: AuditLog
    schedule: Schedule
    installation: Installation

    @property
    def key_folder(self) -> Path:
        """Where the keys are."""
        return key_folder(self.settings)

    @property
    def quarantine(self) -> Path:
        """Where files wait that a person must look at."""
        return self.settings.paths.state / "quarantine"

    @property
    def places(self) -> list[Path]:
        """The files and folders of ours outside the database in which a purged identifier must not remain."""
        paths = self.settings.paths
        landing = [source.folder for source in self.settings.of_files]
        return [*landing, paths.state, *(file.path for file in anchor_files(self.settings))]

    @property
    def verifier(self) -> VerifierKey:
        """The public key that signs the log now."""
        return self.verifiers[-1]

    @property
    def verifiers(self) -> list[VerifierKey]:
        """Every public key in the key folder: the log's own, the retired ones included."""
        return signing.public_keys(self.key_folder)

    @property
    def month_keys(self) -> MonthKeys:
        """The keys of pseudonyms and of what holds name."""
        return MonthKeys(self.key_folder)

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Pseudonyms under the month keys."""
        return Pseudonyms(self.database, self.log, self.month_keys)

    @property
    def watched_sources(self) -> list[Watched]:
        """Every configured source as coverage sees it."""
        since = from_epoch(self.installation.created_at)
        return [
            Watched(one.name, one.zone, one.expect_time, since, covers=not one.is_webhook)
            for one in self.settings.source
        ]

    @property
    def zones(self) -> dict[str, ZoneInfo]:
        """The zone of every source's times."""
        return {source.name: source.zone for source in self.settings.source}

    @property
    def ordered_zones(self) -> dict[str, ZoneInfo]:
        """The same of those sources whose own copies are ordered to go."""
        return {source.name: source.zone for source in self.settings.source if source.upstream == "order"}

    @property
    def inexact(self) -> frozenset[str]:
        """Name the sources some of whose messages are told of by events, with the time of the event."""
        return frozenset(source.identity for source in self.settings.webhooks)

    @property
    def asked(self) -> frozenset[str]:
        """Name the sources that are an interface, which lists what is there when it is asked."""
        return frozenset(source.name for source in self.settings.source if source.kind == INTERFACE)

    def renewed(self) -> Context:
        """Give the same at the epoch that its log has now, for who stays while a person begins another."""
        with self.database.read() as connection:
            origin = rotation.present_origin(connection, self.installation.origin)
        return replace(self, installation=self.installation._replace(origin=origin))

    def signer(self) -> Signer:
        """Load the key that signs, and those that sign beside it; they must be the ones that the log names."""
        return signer_of(self.database, self.key_folder, self.installation.origin)

    def anchors(self) -> list[Anchor]:
        """Build every place that gets the signed checkpoints."""
        return build_anchors(self.settings)

    def remembered(self) -> Memory:
        """Read what the anchor files hold of the log; do this before the database is read."""
        return remembered(self.settings, self.installation.origin)

    def fault(self, connection: Connection) -> Fault | None:
        """Compare the ends of the log with its signed head, which takes a few milliseconds."""
        return find_fault(connection, self.installation.origin, self.verifiers)

    def check_keys(self) -> None:
        """Check every key that unattended work will need, so that a lost or swapped one shows before anything is done.

        Raises:
            KeyFileError: a key is lost, swapped, not readable or open to others; the message names the file.

        """
        with self.database.read() as connection:
            live = {found.month: found.commitment for found in months.live(connection)}
            sealed = holds.sealed_identifiers(connection).values()
        self.month_keys.check(live, [token for by in sealed for tokens in by.values() for token in tokens[:1]])

    def sources(self) -> list[Source]:
        """Build every configured source of files, in the order of the file."""
        return [configured_source(settings) for settings in self.settings.of_files]

    def inboxes(self) -> list[EventInbox]:
        """Give what waits of every webhook, in the order of the file, and then of those that are configured no more."""
        known = [(settings.name, settings.identity) for settings in self.settings.webhooks]
        configured = [EventInbox(name, identity, self.database) for name, identity in known]
        with self.database.read() as connection:
            left = [name for name in inbox.waiting_sources(connection) if name not in dict(known)]
        return [*configured, *(EventInbox(name, name, self.database, configured=False) for name in left)]

    def pickups(self) -> list[Pickup]:
        """Build the pickup of every source whose files are fetched from a server; nothing is connected yet."""
        built = (configured_pickup(settings) for settings in self.settings.of_files)
        return [pickup for pickup in built if pickup is not None]

    def lacking(self) -> list[str]:
        """Give one line for each source that cannot ask its interface, with what to do."""
        interfaces = [source for source in self.settings.source if source.kind == INTERFACE]
        found = ((source.name, configured_account(self.settings, source).lacking()) for source in interfaces)
        return [f"source {name}: {why}" for name, why in found if why is not None]

    def listings(self) -> list[Listing]:
        """Build the listing of every source that is an interface; nothing is connected yet."""
        return [
            build_listing(configured_account(self.settings, source), source.folder, look_back=source.look_back_time)
            for source in self.settings.source
            if source.kind == INTERFACE
        ]

    def removers(self) -> list[Remover]:
        """Build what deletes upstream, for every source that has ``upstream = "api"``; nothing is connected yet."""
        return [
            build_remover(configured_account(self.settings, source))
            for source in self.settings.source
            if source.upstream == "api"
        ]

    def source(self, name: str | None) -> Source:
        """Build the named source, or the only one.

        Raises:
            UsageError: there is none of that name, or several and no name.

        """
        of_files = self.settings.of_files
        names = [source.name for source in of_files]
        if name is None and len(names) > 1:
            msg = f"there are several sources; add --source with one of: {', '.join(names)}"
            raise UsageError(msg)
        if name is not None and name not in names:
            msg = f"the configuration has no source of this name; it has: {', '.join(names) or 'none'}"
            raise UsageError(msg)
        if not names:
            msg = "the configuration has no source of files, only webhooks"
            raise UsageError(msg)
        return configured_source(next(one for one in of_files if name in {None, one.name}))


def signer_of(database: Database, folder: Path, origin: str) -> Signer:
    """Load the signing keys of a log from a key folder.

    Raises:
        KeyFileError: a key is lost, swapped, not readable, open to others or not opened by the passphrase.

    """
    check_family(folder, origin)
    with database.read() as connection:
        chain = rotation.introduced(connection)
    return signing.load_chain(folder, chain, signing_passphrase())


def check_family(folder: Path, origin: str) -> None:
    """Check that the keys in a folder are those of a log, whatever its epoch.

    Raises:
        KeyFileError: they are another log's, or cannot be read.

    """
    first, family = load_verifier(folder), epoch_of(origin).family
    if first.name != family:
        msg = (
            f"the signing key in {folder} belongs to another log ({first.name}); "
            f"this one is {family}. Put its own key back from your backup"
        )
        raise KeyFileError(msg)


def signing_passphrase() -> str | None:
    """Give the passphrase of the signing key where the service manager or the environment has one."""
    return read_secret("signing-passphrase")


def key_folder(settings: Settings) -> Path:
    """Give the folder of the keys."""
    return settings.paths.state / "keys"


def open_context(settings: Settings) -> Context:
    """Open an installation that ``init`` has made.

    Raises:
        SchemaError: no database, or another schema version.

    """
    database = open_database(settings.database.url)
    try:
        installation = _checked_installation(database)
    except BaseException:
        database.close()
        raise
    schedule = configured_schedule(settings.schedule)

    def prove(connection: Connection) -> None:
        """Hold the log against its anchors and its head; the caller has locked it, so nobody signs in between."""
        origin = rotation.present_origin(connection, installation.origin)  # another epoch may have begun since
        remembered(settings, origin).compare(connection)
        fault = find_fault(connection, origin, signing.public_keys(key_folder(settings)))
        if fault is not None:
            raise fault.refusal()

    return Context(settings, database, AuditLog(database.dialect.bulk_insert, prove), schedule, installation)


def remembered(settings: Settings, origin: str) -> Memory:
    """Read what the anchor files hold of a log; do this before the database is read.

    Raises:
        KeyFileError: the key folder cannot be used.

    """
    return remember(anchor_files(settings), origin, signing.public_keys(key_folder(settings)))


def _checked_installation(database: Database) -> Installation:
    with database.read() as connection:
        check_version(connection)
        installation = load_installation(connection)
        if installation is None:
            msg = "the database was not set up to its end; do it with: retention init"
            raise SchemaError(msg)
        return installation._replace(origin=rotation.present_origin(connection, installation.origin))
