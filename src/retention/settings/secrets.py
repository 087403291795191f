"""Secrets, read where a service manager puts them and never from the configuration file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from retention.errors import ConfigError


def read_secret(name: str) -> str | None:
    """Give a secret: systemd's credential of this name, else $RETENTION_NAME_FILE, else $RETENTION_NAME, else None."""
    variable = "RETENTION_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    folder, file = os.environ.get("CREDENTIALS_DIRECTORY"), os.environ.get(variable + "_FILE")
    candidates = [Path(folder) / name] if folder else []
    for path in candidates:
        if path.exists():
            return _read(path)
    if file:
        return _read(Path(file))
    return os.environ.get(variable)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            [f"{path}: the secret cannot be read; check that it exists, its owner and its mode"]
        ) from None
