"""Golden files: what the policy said when a person last read it, to compare with what it says now.

``RETENTION_UPDATE_GOLDEN=1 python -m pytest tests/unit`` writes them anew; read the difference before keeping it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

FOLDER = Path(__file__).parent


def readable(said: object) -> str:
    """Spell a value as the golden files do."""
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def golden(name: str, text: str) -> str:
    """Give what the golden file of this name holds; where an update is asked for, write the text to it first."""
    path = FOLDER / name
    if os.environ.get("RETENTION_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")
