"""Media: an address to upload to that stands for itself, and a state that a client polls."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retention.simulate.clock import Clock

LINK_SECONDS = 1799
MOST_BYTES = 10 * 1024 * 1024


@dataclass
class Medium:
    """One file that is to come or has come."""

    media_id: str
    key: str
    size: int
    mime: str
    asked_ms: int
    came_ms: int | None = None
    content: bytes = b""


class MediaStore:
    """The files by id, and by the key that stands in their addresses."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none; an uploaded file is ready at once until ``processing_seconds`` says otherwise."""
        self._clock = clock
        self.processing_seconds = 0.0
        self._by_id: dict[str, Medium] = {}
        self._by_key: dict[str, Medium] = {}

    def expect(self, key: str, size: int, mime: str) -> Medium:
        """Make room for a file."""
        media_id = base64.urlsafe_b64encode(f"https://media.hootsuite.example/{key}".encode()).decode().rstrip("=")
        medium = Medium(media_id, key, size, mime, self._clock.now())
        self._by_id[media_id] = self._by_key[key] = medium
        return medium

    def find(self, media_id: str) -> Medium | None:
        """Find a file by its id."""
        return self._by_id.get(media_id)

    def behind(self, key: str) -> Medium | None:
        """Find a file by the key in its address, as long as the address is good."""
        medium = self._by_key.get(key)
        if medium is None:
            return None
        since = medium.asked_ms if medium.came_ms is None else max(medium.asked_ms, medium.came_ms)
        return medium if self._clock.now() < since + 1000 * LINK_SECONDS else None

    def receive(self, medium: Medium, content: bytes) -> None:
        """Take the file; a second one is accepted and thrown away."""
        if medium.came_ms is None:
            medium.content, medium.came_ms = content, self._clock.now()

    def is_ready(self, medium: Medium) -> bool:
        """Tell whether the file came and has been processed."""
        came = medium.came_ms
        return came is not None and self._clock.now() >= came + int(1000 * self.processing_seconds)
