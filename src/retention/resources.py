"""Files that travel with the program: migrations, the example configuration, deployment files.

They live at the top level of the source tree and are mapped into the wheel when it is built, so there is one copy.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Give the path of ``alembic``, ``config`` or ``deploy`` in the installed package or in the source tree."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.exists() else _PACKAGE.parents[1] / name
