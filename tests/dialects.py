"""Dialects of SQLAlchemy whose engines compile a statement once in a process, not once in every engine.

The tests open thousands of databases, and half of the time of each went into compiling the same statements again.
Nothing else differs: an engine of a dialect finds what another engine of the same dialect has compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

if TYPE_CHECKING:
    from sqlalchemy import Engine

_compiled: dict[Any, Any] = {}


class _Alike:
    """Makes all dialects of a class one key of the cache."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled)


class Sqlite(_Alike, SQLiteDialect_pysqlite):
    """SQLite by the driver of the standard library."""

    supports_statement_cache = True


class Postgres(_Alike, PGDialect_psycopg):
    """PostgreSQL by psycopg."""

    supports_statement_cache = True


def share_compiled_statements() -> None:
    """Let every engine that is made from now on be of such a dialect."""
    for name in ("sqlite", "sqlite.pysqlite"):
        registry.register(name, __name__, Sqlite.__name__)
    for name in ("postgresql", "postgresql.psycopg"):
        registry.register(name, __name__, Postgres.__name__)
