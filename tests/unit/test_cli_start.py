"""The command line answers quickly: what a command needs is imported when it runs, not when its help is read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
