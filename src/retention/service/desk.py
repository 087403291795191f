"""What takes events, for one configuration: the doors, who keeps what came, and who registers it from time to time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.errors import ConfigError
from retention.service.needs import doors_of, without_address
from retention.service.receive import Receiver
from retention.service.registering import Registrar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from retention.context import Context


class Desk:
    """Takes events under one configuration, from its making until it is closed."""

    def __init__(self, context: Context, clock: Callable[[], datetime]) -> None:
        """Open the doors.

        Raises:
            ConfigError: a credential is missing or unfit, or there is no address.

        """
        self.doors, problems = doors_of(context.settings.webhooks)
        problems += without_address(context.settings)
        if problems:
            raise ConfigError(problems)
        self.receiver = Receiver(context, clock)
        self._registrar = Registrar(context, clock, context.settings.serve.register_seconds)

    def start(self) -> None:
        """Register what waits, and then from time to time."""
        if self.doors:
            self._registrar.start()

    def close(self) -> None:
        """Keep what came, and stop registering between two batches."""
        self.receiver.close()
        self._registrar.close()
