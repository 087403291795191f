"""Where ``retention serve`` listens."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from retention.settings.table import Table, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LISTEN = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")


def _listen(listen: str) -> str:
    try:
        usable = _LISTEN.fullmatch(listen) and _split(listen)[1] in range(65536) and ip_address(_split(listen)[0])
    except ValueError:
        usable = False
    if not usable:
        msg = "write an address in numbers and a port, such as 127.0.0.1:8700 or [::1]:8700"
        raise ValueError(msg)
    return listen


def _split(listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    return address.strip("[]"), int(port)


class ServeSettings(Table):
    """Where ``retention serve`` listens, and how often it registers what came."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8700"
    behind_proxy: Annotated[bool, Field(strict=True)] = False
    register_seconds: Annotated[float, Field(strict=True, gt=0, le=86400)] = 300.0

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
    def address(self) -> tuple[str, int]:
        """The address and the port to listen on."""
        return _split(self.listen)
