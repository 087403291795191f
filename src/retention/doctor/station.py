"""Where the doctor stands: on which machine, who asks, who works, and how a command for them is spelled."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_TOOL_SECONDS = 10


def ask_tool(words: Sequence[str]) -> str | None:
    """Run a tool of this machine that only reports; None where it is not there or fails."""
    found = shutil.which(words[0])
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # words of our own
            [found, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TOOL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


def user_name(uid: int) -> str:
    """Name a user as sudo takes it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def group_name(gid: int) -> str:
    """Name a group, or give its number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


@dataclass(frozen=True)
class Station:
    """``person`` types the commands, ``worker`` is whom the register belongs to; ``root`` is where the machine is."""

    config: Path | None
    person: int
    worker: int
    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    tool: Callable[[Sequence[str]], str | None] = ask_tool
    program: str = field(default_factory=lambda: program_of(sys.argv[0]))

    def text(self, path: str) -> str | None:
        """Read a file of the machine; None where it cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Tell whether there is something on the machine."""
        return (self.root / path.lstrip("/")).exists()

    @property
    def has_systemd(self) -> bool:
        """Tell whether systemd manages this machine, as sd_booted(3) does."""
        return self.exists("run/systemd/system")

    def ours(self, *words: str) -> str:
        """Spell a command of this program, for whoever asks, as the user whom the register belongs to."""
        where = ["--config", str(self.config)] if self.config else []
        return shlex.join([*self._become(), self.program, *words, *where])

    def machine(self, *words: str) -> str:
        """Spell a command that needs root."""
        return shlex.join([*([] if self.person == 0 else ["sudo"]), *words])

    def on_file(self, path: Path, *words: str) -> str:
        """Spell a command on a file, which its owner or root may give; the path comes last."""
        owner = None
        with suppress(OSError):
            owner = path.stat().st_uid
        mine = self.person in {0, owner}
        return shlex.join([*([] if mine else ["sudo"]), *words, str(path)])

    def owned(self, path: Path, *, whole: bool = False) -> str:
        """Spell the command that gives a file, or a whole folder, to the user whom the register belongs to."""
        deep = ["-R"] if whole else []
        return self.machine("chown", *deep, user_name(self.worker).lstrip("#"), str(path))

    def installing(self, extra: str) -> str:
        """Spell the command that adds an extra to the Python that runs this."""
        mine = self.person == 0 or os.access(sys.prefix, os.W_OK)
        words = [sys.executable, "-m", "pip", "install", f"retention-enforcer[{extra}]"]
        return shlex.join([*([] if mine else ["sudo"]), *words])

    def plain(self, *words: str) -> str:
        """Spell a command that anybody may give."""
        return shlex.join(words)

    def as_user(self, name: str, *words: str) -> str:
        """Spell a command for another user of this machine."""
        return shlex.join(["runuser" if self.person == 0 else "sudo", "-u", name, "--", *words])

    def _become(self) -> list[str]:
        if self.person == self.worker:
            return []
        name = user_name(self.worker)
        if self.person == 0 and not name.startswith("#"):
            return ["runuser", "-u", name, "--"]
        return ["sudo", "-u", name]


def program_of(called: str) -> str:
    """Give how this program is called: its path where that is a file of that name, else its name."""
    path = Path(called)
    return str(path.absolute()) if path.name == "retention" and path.is_file() else "retention"


def owner_of(place: Path) -> int | None:
    """Give who owns a place or, where it is not there, nobody."""
    try:
        return place.stat().st_uid
    except OSError:
        return None


def step_down(uid: int) -> None:
    """Become another user for good, so that root sees what the service sees and opens no file of its as root."""
    with suppress(KeyError):
        entry = pwd.getpwuid(uid)
        os.initgroups(entry.pw_name, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(uid)
        return
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
