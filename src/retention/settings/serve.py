"""What ``retention serve`` does and when, and where it listens."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from retention.settings.table import Table, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LISTEN = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
_CRON = re.compile(r"[0-9A-Za-z*/,#-]+( +[0-9A-Za-z*/,#-]+){4}")


def _listen(listen: str) -> str:
    try:
        usable = _LISTEN.fullmatch(listen) and _split(listen)[1] in range(65536) and ip_address(_split(listen)[0])
    except ValueError:
        usable = False
    if listen and not usable:
        msg = "write an address in numbers and a port, such as 127.0.0.1:8700 or [::1]:8700"
        raise ValueError(msg)
    return listen


def _split(listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    return address.strip("[]"), int(port)


def _cron(times: str) -> str:
    if times and not _CRON.fullmatch(times):
        msg = 'write five fields as cron has them, such as "5 3 * * *", or an empty text for never'
        raise ValueError(msg)
    return times


Times = Annotated[str, AfterValidator(_cron)]


class JobSettings(Table):
    """When each job is done, as cron spells it, in the zone of the schedule; an empty text switches it off."""

    run: Times = "5 3 * * *"
    ingest: Times = "*/15 * * * *"
    purge: Times = ""
    verify: Times = "30 4 * * 0"
    checkpoint: Times = ""
    heartbeat: Times = "*/5 * * * *"
    notice: Times = "40 5 * * *"
    notify: Times = "*/15 * * * *"

    @property
    def times(self) -> dict[str, str]:
        """Give the jobs that are switched on, each with its times."""
        every: dict[str, str] = self.model_dump()
        return {name: times for name, times in every.items() if times}


NO_JOBS = JobSettings(run="", ingest="", purge="", verify="", checkpoint="", heartbeat="", notice="", notify="")


def _switched(given: object) -> object:
    if isinstance(given, bool):
        return JobSettings() if given else NO_JOBS
    if not isinstance(given, dict | JobSettings):
        msg = "write false, or a table [serve.jobs] with the times of each job"
        raise ValueError(msg)  # noqa: TRY004  # what pydantic tells as a problem of the key
    return given


class ServeSettings(Table):
    """Where ``retention serve`` listens, how often it registers what came, and what it does by itself."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8700"
    behind_proxy: Annotated[bool, Field(strict=True)] = False
    register_seconds: Annotated[float, Field(strict=True, gt=0, le=86400)] = 300.0
    jobs: Annotated[JobSettings, BeforeValidator(_switched)] = JobSettings()
    take_over_seconds: Annotated[float, Field(strict=True, ge=1, le=3600)] = 60.0
    stop_seconds: Annotated[float, Field(strict=True, ge=1, le=3600)] = 90.0
    longest_job_seconds: Annotated[float, Field(strict=True, ge=1, le=604800)] = 86400.0

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:
        listen = given.get("listen")
        if isinstance(listen, str) and _LISTEN.fullmatch(listen) and given.get("behind_proxy") is not True:
            with suppress(ValueError):
                if not ip_address(_split(listen)[0]).is_loopback:
                    yield (
                        ("listen",),
                        "is not of this machine alone; that needs a proxy with TLS and behind_proxy = true",
                    )

    @property
    def address(self) -> tuple[str, int] | None:
        """The address and the port to listen on; None where nothing listens."""
        return _split(self.listen) if self.listen else None
