"""Wait no longer than so many seconds for a host, whatever it does: limits of libraries are for each byte."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from retention.errors import NoticeError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")


def in_time(work: Callable[[], Answer], seconds: float) -> Answer:
    """Do something in a thread and give its answer; what is late is left to end by itself.

    Raises:
        NoticeError: it takes too long, or the work raised it.

    """
    answer: Future[Answer] = Future()

    def do() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=do, name="notify", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        msg = "takes too long"
        raise NoticeError(msg) from None
