"""The one error tree: every class carries its exit code and says what to do.

Raw errors of libraries never cross a room's border; the room wraps them in one of these. A message never
contains a value taken from input data, because that value may be personal: it names file, line and column.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line; scripts depend on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY_DONE = 3
    AT_RISK = 4
    BROKEN = 5
    NO_DATABASE = 10
    LOCKED = 11
    BELT_CLOSED = 12
    LOG_NOT_VERIFIED = 13


class RetentionError(Exception):
    """Base of every error this program raises on purpose."""

    exit_code: Exit = Exit.FAILED


class UsageError(RetentionError):
    """A command was called in a way it cannot be carried out."""

    exit_code = Exit.USAGE


class ConfigError(UsageError):
    """The configuration cannot be used; ``problems`` lists every reason, one line each."""

    def __init__(self, problems: list[str]) -> None:
        """Keep every problem, so that one run of ``retention check`` shows all of them."""
        self.problems = problems
        super().__init__("\n".join(problems))


class DatabaseError(RetentionError):
    """The database answered with an error."""


class TransientDatabaseError(DatabaseError):
    """The database refused for a reason that passes: the same transaction may succeed when it is tried again."""


class SchemaError(RetentionError):
    """There is no database, or its schema is not the one this version needs."""

    exit_code = Exit.NO_DATABASE


class LockHeldError(RetentionError):
    """Another run holds the lease on this register."""

    exit_code = Exit.LOCKED


class RegisteringError(LockHeldError):
    """The service holds the lease for the moment that it needs to register events."""


class OtherScheduleError(RetentionError):
    """Another schedule is in force than the one that this process was configured with."""


class BeltClosedError(RetentionError):
    """A safety belt stopped the purge before it deleted anything."""

    exit_code = Exit.BELT_CLOSED


class NotApprovedError(BeltClosedError):
    """A plan waits for the people who must approve it; nothing was deleted."""


class RestoredError(BeltClosedError):
    """The database is older than a checkpoint that left it, or went another way; it is not written to."""


class AnchorError(RetentionError):
    """A place outside the database that must get or give checkpoints cannot be used; the message names it."""


class HostError(RetentionError):
    """A host that the configuration names cannot be used now; the reason follows its name."""


class NoticeError(RetentionError):
    """A notice did not reach whom it was for; the reason follows the name of the channel and quotes no answer."""


class LogError(RetentionError):
    """The audit log does not verify, so nothing may be appended to it."""

    exit_code = Exit.LOG_NOT_VERIFIED


class BrokenLogError(LogError):
    """The entries, tiles or head of the log are not what was signed; ``index`` is the first bad entry, where known."""

    def __init__(self, reason: str, index: int | None = None, *, problem: str | None = None) -> None:
        """Keep the index apart from the reason, and what is wrong apart from the advice, where the reason has both."""
        self.index = index
        self.problem = problem or reason
        super().__init__(reason)


class StoppedError(RetentionError):
    """A run was asked to stop and did so between two batches; nothing is half done."""

    exit_code = Exit.PARTLY_DONE


class LeaseLostError(RetentionError):
    """The lease passed to another run, so this one may not commit any more."""

    exit_code = Exit.LOCKED


class KeyFileError(RetentionError):
    """A key file is missing, unreadable, too widely readable or not the expected key."""


class KeyDestroyedError(KeyFileError):
    """The key of a month was destroyed on schedule, and no second one is ever made."""


class SourceError(RetentionError):
    """A source, or one file of it, cannot be read at all."""


class FileRefusedError(SourceError):
    """One file is refused whole; nothing of it was registered. Carries the place and the reason, never a value."""

    def __init__(self, reason: str, *, line: int | None = None, column: str | None = None) -> None:
        """Keep line and column apart from the reason, so that a finding can name them."""
        self.reason = reason
        self.line = line
        self.column = column
        super().__init__(reason)


class FileChangedError(FileRefusedError):
    """A file changed while it was read; it stays where it is and is read again when it has settled."""


class PickupError(SourceError):
    """Files cannot be fetched from another machine now; the other sources go on."""


class HostKeyError(PickupError):
    """A server showed another host key than the one that the configuration pins; nothing was asked of it."""


class ConnectionLostError(PickupError):
    """The connection to a server could not be made or broke off; trying again may help."""


class RemoteFileError(SourceError):
    """One file of a server cannot be fetched or removed; ``passing`` is a reason that mends itself by the next look."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        """Keep the reason, which follows the name of the file where it is told."""
        self.reason = reason
        self.passing = passing
        super().__init__(reason)


class ApiError(SourceError):
    """A source's interface did not give what it was asked for; ``code`` is what it calls the reason, 0 if nothing."""

    def __init__(self, reason: str, *, code: int = 0) -> None:
        """Keep the code, by which some reasons are told apart."""
        self.code = code
        super().__init__(reason)


class ApiBusyError(ApiError):
    """The interface failed for a reason that passes: the same call may succeed when it is tried again."""


class NotAuthorizedError(ApiError):
    """The interface does not know us, or not any more; a person must authorize the source."""
