"""The schema's version, checked before any command touches the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, inspect, select, text

from retention.errors import SchemaError
from retention.model import to_epoch
from retention.store.tables import installation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

VERSION = "0015"


class Installation(NamedTuple):
    """What ``init`` settled for ever: the origin of the log's first epoch, whether this is a drill, and since when."""

    origin: str
    drill: bool
    created_at: int = 0


def check_version(connection: Connection) -> None:
    """Compare the database's schema with what this program needs.

    Raises:
        SchemaError: there is no schema, or it is another version; the message names the command to run.

    """
    if not inspect(connection).has_table("alembic_version"):
        msg = "the database has no register yet; make it with: retention init"
        raise SchemaError(msg)
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found == VERSION:
        return
    if found is not None and found > VERSION:
        msg = f"the database has schema {found}, this program needs {VERSION}; install the newer program"
        raise SchemaError(msg)
    msg = f"the database has schema {found}, this program needs {VERSION}; bring it up to date with: retention init"
    raise SchemaError(msg)


def load_installation(connection: Connection) -> Installation | None:
    """Give what ``init`` settled, or None where it did not finish."""
    row = connection.execute(
        select(installation.c.origin, installation.c.drill, installation.c.created_at)
    ).one_or_none()
    return None if row is None else Installation(row[0], bool(row[1]), row[2])


def save_installation(connection: Connection, settled: Installation, at: datetime) -> None:
    """Record what ``init`` settled; there is one such record and it is never changed."""
    values = {"id": 1, "origin": settled.origin, "drill": settled.drill, "created_at": to_epoch(at)}
    connection.execute(insert(installation).values(values))
