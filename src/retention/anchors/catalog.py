"""Build the anchors that the configuration names; the only file that knows every kind.

A kind is imported where it is configured: HTTP alone costs every command a fifth of a second.
"""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.anchors.files import FileAnchor
from retention.audit.memory import AnchorFile
from retention.errors import LogError, UsageError

if TYPE_CHECKING:
    from retention.anchors.interface import Anchor
    from retention.settings import AnchorSettings, Settings

MAIN = "file"


def anchor_files(settings: Settings) -> list[AnchorFile]:
    """Give the anchors that can be read back, the file of [paths] first."""
    main = [AnchorFile(MAIN, settings.paths.anchor, required=True)] if settings.paths.anchor else []
    return [*main, *(AnchorFile(one.name, one.path, one.required) for one in settings.anchor if one.path)]


def build_anchors(settings: Settings) -> list[Anchor]:
    """Build every anchor: files first, because they depend on nobody.

    Raises:
        UsageError: a witness' key cannot be read.

    """
    files: list[Anchor] = [FileAnchor(file) for file in anchor_files(settings)]
    return [*files, *(_build(one) for one in settings.anchor if not one.path)]


def _build(settings: AnchorSettings) -> Anchor:
    name, required, timeout = settings.name, settings.required, settings.timeout_seconds
    if settings.address:
        from retention.anchors.syslog import SyslogAnchor

        return SyslogAnchor(name, settings.address, required=required, timeout=timeout)
    url = settings.url or ""
    if settings.certificate:
        from retention.anchors.timestamp import TimestampAnchor

        return TimestampAnchor(name, url, settings.certificate, required=required, timeout=timeout)
    from retention.anchors.witness import WitnessAnchor
    from retention.audit.cosignature import parse_witness_key

    try:
        key = parse_witness_key(settings.key or "")
    except LogError as error:
        msg = f"anchor {name}: key: {error}"
        raise UsageError(msg) from None
    return WitnessAnchor(name, url, key, required=required, timeout=timeout)
