"""What every command works with: the configuration, the database, the log, the schedule and the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.anchors.catalog import anchor_files, build_anchors
from retention.audit import rotation, signing
from retention.audit.epoch import epoch_of
from retention.audit.keys import MonthKeys, load_verifier
from retention.audit.log import AuditLog
from retention.audit.memory import Memory, remember
from retention.errors import ConfigError, KeyFileError, SchemaError, UsageError
from retention.ingest.inbox import EventInbox
from retention.ingest.pseudonyms import Pseudonyms
from retention.policy.schedule import Schedule, configured_schedule
from retention.settings import say_where
from retention.settings.secrets import read_secret
from retention.sources.catalog import build_source
from retention.store import holds
from retention.store import month_keys as months
from retention.store.engine import Database, open_database
from retention.store.schema import Installation, check_version, load_installation

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.anchors.interface import Anchor
    from retention.audit.checkpoint import Signer, VerifierKey
    from retention.settings import Settings, SourceSettings
    from retention.settings.locate import Place
    from retention.sources.interface import Source


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
        landing = [source.path for source in self.settings.source if source.path]
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

    def signer(self) -> Signer:
        """Load the key that signs, and those that sign beside it; they must be the ones that the log names."""
        return signer_of(self.database, self.key_folder, self.installation.origin)

    def anchors(self) -> list[Anchor]:
        """Build every place that gets the signed checkpoints."""
        return build_anchors(self.settings)

    def remembered(self) -> Memory:
        """Read what the anchor files hold of the log; do this before the database is read."""
        return remembered(self.settings, self.installation.origin)

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
        return [configured_source(settings) for settings in self.settings.source if not settings.is_webhook]

    def inboxes(self) -> list[EventInbox]:
        """Give what waits of every webhook, in the order of the file."""
        hooks = [settings for settings in self.settings.source if settings.is_webhook]
        return [EventInbox(settings.name, settings.identity, self.database) for settings in hooks]

    def source(self, name: str | None) -> Source:
        """Build the named source, or the only one.

        Raises:
            UsageError: there is none of that name, or several and no name.

        """
        names = [source.name for source in self.settings.source if not source.is_webhook]
        if name is None and len(names) > 1:
            msg = f"there are several sources; add --source with one of: {', '.join(names)}"
            raise UsageError(msg)
        if name is not None and name not in names:
            msg = f"the configuration has no source of this name; it has: {', '.join(names) or 'none'}"
            raise UsageError(msg)
        if not names:
            msg = "the configuration has no source of files, only webhooks"
            raise UsageError(msg)
        return configured_source(
            next(one for one in self.settings.source if not one.is_webhook and name in {None, one.name})
        )


def signer_of(database: Database, folder: Path, origin: str) -> Signer:
    """Load the signing keys of a log from a key folder.

    Raises:
        KeyFileError: a key is lost, swapped, not readable, open to others or not opened by the passphrase.

    """
    first, family = load_verifier(folder), epoch_of(origin).family
    if first.name != family:
        msg = (
            f"the signing key in {folder} belongs to another log ({first.name}); "
            f"this one is {family}. Put its own key back from your backup"
        )
        raise KeyFileError(msg)
    with database.read() as connection:
        chain = rotation.introduced(connection)
    return signing.load_chain(folder, chain, signing_passphrase())


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
        """Hold the log against its anchors; the caller has locked it, so nobody signs between the two readings."""
        remembered(settings, installation.origin).compare(connection)

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


def check_sources(path: Path, settings: Settings) -> None:
    """Build every source once, so that one look at a configuration shows what is wrong with any of them.

    Raises:
        ConfigError: a source cannot be built; every problem is listed with file, line and key.

    """
    problems: list[tuple[Place, str]] = []
    for number, source in enumerate(settings.source):
        if source.is_webhook:
            continue
        try:
            configured_source(source)
        except ConfigError as error:
            for key, _, reason in (problem.partition(": ") for problem in error.problems):
                problems.append((("source", number, *key.split(".")), reason))
    if problems:
        raise ConfigError(say_where(path, problems))


def configured_source(settings: SourceSettings) -> Source:
    """Build the source that a table of the configuration describes."""
    columns = settings.columns.model_dump(exclude_none=True) if settings.columns else None
    private_when = settings.private_when.model_dump() if settings.private_when else None
    public_when = settings.public_when.model_dump() if settings.public_when else None
    return build_source(
        settings.kind,
        name=settings.name,
        path=settings.folder,
        time_zone=settings.time_zone,
        preset=settings.preset,
        columns=columns,
        private_when=private_when,
        public_when=public_when,
        date_format=settings.date_format,
        delimiter=settings.delimiter,
        encoding=settings.encoding,
        own_account=settings.own_account,
        settle_seconds=settings.settle_seconds,
    )
