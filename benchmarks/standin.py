r"""Run a yardstick's script where the database's own command line is not installed, in a process of its own.

Beside SQL this knows the one command of each tool that the scripts use: ``.import`` of sqlite3, ``\copy`` of psql.
"""

from __future__ import annotations

import csv
import shlex
import sqlite3
import sys
from itertools import groupby
from pathlib import Path

_CHUNK = 1 << 20


def main() -> None:
    """Run the script on standard input on the database that the arguments name."""
    kind, target = sys.argv[1:]
    run = {"sqlite": _sqlite, "postgres": _postgres}[kind]
    lines = sys.stdin.read().splitlines()
    parts = groupby(lines, key=lambda line: line.startswith((".", "\\")))
    run(target, [(special, "\n".join(part)) for special, part in parts])


def _sqlite(path: str, parts: list[tuple[bool, str]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for special, text in parts:
        if special:
            *_, file, table = shlex.split(text)
            _import(connection, Path(file), table)
        else:
            connection.executescript(text)
    connection.close()


def _import(connection: sqlite3.Connection, file: Path, table: str) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        names = next(rows)
        columns = ", ".join(f'"{name}" TEXT' for name in names)
        marks = ", ".join("?" * len(names))
        connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO temp.{table} VALUES ({marks})", rows)  # noqa: S608  # names from our own script
        connection.execute("COMMIT")


def _postgres(url: str, parts: list[tuple[bool, str]]) -> None:
    import psycopg  # noqa: PLC0415  # the yardstick of SQLite must not load it

    with psycopg.connect(url, autocommit=True) as connection:
        for special, text in parts:
            if not special:
                connection.execute(text.encode())
                continue
            table, _, rest = text.removeprefix("\\copy ").partition(" FROM ")
            _, file, options = rest.split("'", 2)
            statement = f"COPY {table} FROM STDIN {options}".encode()
            with Path(file).open("rb") as stream, connection.cursor().copy(statement) as copy:
                while chunk := stream.read(_CHUNK):
                    copy.write(chunk)


if __name__ == "__main__":
    main()
