"""Say what the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import measured
from retention import __version__

_CPU = Path("/proc/cpuinfo")
# Asked in a process of its own: the size of this one is the least peak that can be measured.
_LIBRARIES = "import sqlite3, ssl; print(f'SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}')"
_SHA_FLAGS = {"sha_ni", "sha2"}  # x86 and ARM


def describe() -> str:
    """Give a few lines: the day, the processor, its load, and the version of everything that took part."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    libraries = measured((sys.executable, "-c", _LIBRARIES))[1].strip()
    return "\n".join(
        [
            f"{datetime.now(UTC):%d %B %Y}; retention {__version__}; Python {platform.python_version()}, {libraries}",
            f"{_processor()}; {os.cpu_count()} cores; {platform.system()}; load {load}",
            f"yardsticks: {_tool('sqlite3', '-version')}; {_tool('openssl', 'version')}; {_tool('psql', '--version')}",
        ]
    )


def _processor() -> str:
    if not _CPU.is_file():
        return platform.processor() or platform.machine()
    facts: dict[str, str] = {}
    for line in _CPU.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    flags = set((facts.get("flags") or facts.get("Features") or "").split())
    name = facts.get("model name") or platform.machine()
    return f"{name}, {'with' if flags & _SHA_FLAGS else 'without'} SHA instructions"


def _tool(name: str, question: str) -> str:
    program = shutil.which(name)
    if program is None:
        return f"{name} is not installed, Python stands in"
    words = measured((program, question))[1].split()
    version = next((word for word in words if word[0].isdigit()), "of unknown version")
    return f"{name} {version}"
