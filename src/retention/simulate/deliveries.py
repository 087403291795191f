"""Deliver webhooks one after another, in a thread of their own, with retries under the same key and a log."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from queue import Queue
from threading import Event, Thread
from typing import TYPE_CHECKING

from retention.simulate.events import SIGNATURE, event_data, inbox_body, message_body
from retention.simulate.outgoing import post

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.demo.exports import DemoMessage
    from retention.simulate.answers import Fields
    from retention.simulate.clock import Clock
    from retention.simulate.hook import Hook
    from retention.simulate.outgoing import Heard

_LOGGED = 10_000
_OK, _UNAUTHORIZED = 200, 401
_STALE_MS = 10 * 60_000
_TIMEOUT = 10.0


@dataclass
class Delivery:
    """One event on its way, and how every attempt went."""

    kind: str
    key: str
    url: str
    send: Callable[[], Heard]
    retries: int
    pause: Callable[[int], float]
    heard: Callable[[Heard], None]
    attempts: list[Fields] = field(default_factory=list)
    delivered: bool | None = None

    def told(self) -> Fields:
        """Tell it as the control endpoint does; ``delivered`` is null while it is on its way."""
        return {
            "type": self.kind,
            "key": self.key,
            "url": self.url,
            "attempts": self.attempts,
            "delivered": self.delivered,
        }


class Deliveries:
    """The deliveries that wait, and those that are done."""

    def __init__(self, clock: Clock) -> None:
        """Start the thread that delivers."""
        self.clock = clock
        self._log: deque[Delivery] = deque(maxlen=_LOGGED)
        self._waiting: Queue[Delivery | None] = Queue()
        self._stop = Event()
        self._thread = Thread(target=self._work, name="webhooks", daemon=True)
        self._thread.start()

    def inbox_event(
        self, hook: Hook, kind: str, message: DemoMessage, key: str, *, tamper: str, heard: Callable[[Heard], None]
    ) -> Delivery:
        """Put an Inbox event on its way; each attempt says anew when it was sent, under the same key."""
        data = event_data(kind, message)

        def send() -> Heard:
            sent_ms = self.clock.now() - (_STALE_MS if tamper == "timestamp" else 0)
            body = inbox_body(kind, key, sent_ms, data)
            headers = hook.headers(body)
            if tamper == "signature":
                headers[SIGNATURE] = "0" * 64
            answer = post(hook.url, body, headers, hook.timeout)
            if answer.status == _UNAUTHORIZED:
                hook.forget_token()
            return answer

        return self._put(Delivery(kind, key, hook.url, send, hook.retries, hook.pause, heard))

    def message_event(self, url: str, message_id: str, state: str, number: int) -> Delivery:
        """Put an unsigned event of the REST API on its way."""
        body = message_body(number, message_id, state, self.clock.now())
        headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "Hootsuite-Simulator"}
        return self._put(
            Delivery(
                kind=state,
                key=str(number),
                url=url,
                send=lambda: post(url, body, headers, _TIMEOUT),
                retries=0,
                pause=lambda _: 0.0,
                heard=lambda _: None,
            )
        )

    def told(self) -> list[Fields]:
        """Tell every delivery, oldest first."""
        return [delivery.told() for delivery in list(self._log)]

    def settle(self) -> None:
        """Wait until nothing is on its way."""
        self._waiting.join()

    def close(self) -> None:
        """Give up what waits and end the thread."""
        self._stop.set()
        self._waiting.put(None)
        self._thread.join()

    def _put(self, delivery: Delivery) -> Delivery:
        self._log.append(delivery)
        self._waiting.put(delivery)
        return delivery

    def _work(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            try:
                if not self._stop.is_set():
                    self._deliver(delivery)
            finally:
                self._waiting.task_done()
        self._waiting.task_done()

    def _deliver(self, delivery: Delivery) -> None:
        answer = self._attempt(delivery)
        for attempt in range(delivery.retries):
            if answer.status == _OK or self._stop.wait(delivery.pause(attempt)):
                break
            answer = self._attempt(delivery)
        delivery.delivered = answer.status == _OK
        delivery.heard(answer)

    @staticmethod
    def _attempt(delivery: Delivery) -> Heard:
        answer = delivery.send()
        delivery.attempts.append({"status": answer.status, "problem": answer.problem})
        return answer
