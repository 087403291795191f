"""Build the channels that the configuration names; the only file that knows every kind.

A kind is imported where it is configured: HTTP alone costs every command a fifth of a second.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.settings.secrets import read_secret

if TYPE_CHECKING:
    from retention.notify.interface import Channel
    from retention.settings import NotifySettings


def build_channel(settings: NotifySettings) -> Channel:
    """Build a channel; nothing is connected yet.

    Raises:
        ConfigError: its secret cannot be read.

    """
    secret = read_secret(settings.credential)
    [(host, port)] = settings.hosts
    if settings.url is not None:
        from retention.notify.webhook import WebhookChannel

        return WebhookChannel(settings.name, settings.url, secret, timeout=settings.timeout_seconds)
    from retention.notify.mail import MailChannel, Server

    server = Server(host, port, settings.security, settings.certificate, settings.user, secret)
    return MailChannel(
        settings.name, server, settings.sender or "", settings.to or [], timeout=settings.timeout_seconds
    )
