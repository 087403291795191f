"""One line of what the doctor says: in order, to be mended by a command, or to be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retention.errors import Exit

State = Literal["ok", "fix", "note"]


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, how it stands, and for every fix the command to run; ``code`` is the exit that a fix asks."""

    group: str
    subject: str
    state: State
    detail: str
    command: str | None = None
    code: Exit = Exit.PARTLY_DONE

    def as_json(self) -> dict[str, str | None]:
        """Give it as plain values for JSON."""
        return {
            "group": self.group,
            "subject": self.subject,
            "state": self.state,
            "detail": self.detail,
            "command": self.command,
        }


@dataclass(frozen=True, slots=True)
class About:
    """What a probe looks at: gives its lines."""

    group: str
    subject: str

    def ok(self, detail: str) -> Line:
        """Say that it is in order."""
        return Line(self.group, self.subject, "ok", detail)

    def note(self, detail: str, command: str | None = None) -> Line:
        """Say what a person should know; nothing has to be done."""
        return Line(self.group, self.subject, "note", detail, command)

    def fix(self, detail: str, command: str, code: Exit = Exit.PARTLY_DONE) -> Line:
        """Say what is not in order, and the command that mends it."""
        return Line(self.group, self.subject, "fix", detail, command, code)
