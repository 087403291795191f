"""The command line answers quickly: what a command needs is imported when it runs, not when its help is read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kit import Office

# What only looks at the register has use for neither migrations nor a terminal's colours nor the makers of log lines.
NOT_TO_LOOK = ("alembic", "mako", "psycopg", "pygments", "rich", "stamina", "structlog")
SLOW = ("alembic", "cryptography", "psycopg", "pydantic", "rich", "sqlalchemy", "structlog")
_SCRIPT = """
import json, sys
from retention.cli import main
sys.argv = ["retention", *sys.argv[1:]]
try:
    main()
except SystemExit as left:
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"code": left.code, "loaded": loaded}), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", _SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["code"] in {0, 2}
    return set(told["loaded"])


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("purge", "--help"), ("hold", "place", "--help"), ("nonsense",)]
)
def test_help_loads_neither_the_database_layer_nor_anything_else_that_is_slow(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) & {*SLOW} == set()


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("status",), ("explain", "message-1"), ("hold", "list"), ("findings", "list")],
    ids=" ".join,
)
def test_commands_that_only_look_load_only_what_they_need_for_it(
    sqlite_office: Office, arguments: tuple[str, ...]
) -> None:
    where = ("--config", str(sqlite_office.config), "--now", sqlite_office.now.isoformat())
    assert loaded_by(*arguments, *where) & {*NOT_TO_LOOK} == set()
