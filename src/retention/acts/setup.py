"""Set an installation up: the schema, the keys, the first entry of the log.

Everything here can be done again: what is there stays. The order makes a set-up that was cut off safe to repeat:
schema, keys, then one transaction with the head of the log, its first entry and the record that the set-up is complete.
Used keys beside a new database, or an old database without its keys, stop the set-up, because going on would start
another log under the old name.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config

from alembic import command
from retention import __version__
from retention.audit import rotation
from retention.audit.checkpoint import vkey
from retention.audit.entry import entry
from retention.audit.keys import create_key_directory, load_signer
from retention.audit.log import AuditLog
from retention.context import key_folder, signer_of, signing_passphrase
from retention.errors import KeyFileError, RetentionError, UsageError
from retention.resources import resource
from retention.store import ledger
from retention.store.engine import open_database, translated
from retention.store.guards import missing_guards, put_guards_back
from retention.store.schema import Installation, load_installation, save_installation

if TYPE_CHECKING:
    from datetime import datetime

    from retention.audit.checkpoint import Signer
    from retention.settings import Settings
    from retention.store.engine import Database

EXAMPLE = "retention.toml"


def write_example(path: Path) -> None:
    """Write the commented example configuration to a new file.

    Raises:
        UsageError: the file exists or cannot be written.

    """
    text = (resource("config") / EXAMPLE).read_text(encoding="utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        msg = f"{path} is there already; name another file or edit that one"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror})"
        raise UsageError(msg) from None


def set_up(settings: Settings, now: datetime, *, drill: bool) -> Installation:
    """Bring the database to this version's schema and make keys and log where there are none.

    Raises:
        UsageError: ``drill`` was asked for a database that is not one.
        KeyFileError: keys and database do not belong together.

    """
    _make_folders(settings)
    database = open_database(settings.database.url, create=True)
    try:
        _migrate(database)
        with database.read() as connection:
            found = load_installation(connection)
        if found is None:
            return _found(settings, database, now, drill=drill)
        if drill and not found.drill:
            msg = "this database is not a drill and cannot become one; name another database"
            raise UsageError(msg)
        signer_of(database, key_folder(settings), found.origin)
        with database.read() as connection:
            return found._replace(origin=rotation.present_origin(connection, found.origin))
    finally:
        database.close()


def put_back(settings: Settings) -> int:
    """Put back triggers of the audit log that somebody took away, and give how many.

    Raises:
        DatabaseError: this user of the database may not do that; on PostgreSQL its owner may.

    """
    database = open_database(settings.database.url)
    try:
        with database.read() as connection:
            if not missing_guards(connection):
                return 0
        with database.write() as connection:
            return put_guards_back(connection)
    finally:
        database.close()


def _make_folders(settings: Settings) -> None:
    url, state = settings.database.url, settings.paths.state
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for source in settings.of_files:
            source.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{error.filename}: the folder cannot be made ({error.strerror})"
        raise RetentionError(msg) from None


def _migrate(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(resource("alembic")).replace("%", "%%"))
    with translated(), database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _found(settings: Settings, database: Database, now: datetime, *, drill: bool) -> Installation:
    folder = key_folder(settings)
    if folder.exists():
        signer = _signer_of_a_set_up_that_was_cut_off(folder, drill=drill)
    else:
        origin = f"retention/{'DRILL-' if drill else ''}{secrets.token_hex(8)}"
        signer = create_key_directory(folder, origin, signing_passphrase())
    settled = Installation(signer.verifier.name, drill)
    log = AuditLog(database.dialect.bulk_insert)
    first = entry(
        "genesis",
        now,
        origin=settled.origin,
        verifier_key=vkey(signer.verifier),
        software=f"retention {__version__}",
        drill=drill,
        registered=0,
    )
    with database.write() as connection:
        log.create(connection)
        log.append(connection, [first])
        ledger.begin(connection)
        save_installation(connection, settled, now)
        log.sign_head(connection, settled.origin, signer)
    return settled


def _signer_of_a_set_up_that_was_cut_off(folder: Path, *, drill: bool) -> Signer:
    """Take up keys that were made but never used: only those have no month key yet."""
    signer = load_signer(folder, signing_passphrase())
    used = any((folder / "month").glob("*.key"))
    if used or signer.verifier.name.startswith("retention/DRILL-") != drill:
        msg = (
            f"{folder} holds the keys of another database, and this database is new. Check [database] url; "
            "if the old database is gone for good, move the keys away and run init again"
        )
        raise KeyFileError(msg)
    return signer
