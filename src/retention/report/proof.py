"""Say in words what a proof shows, and what it does not."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from retention.audit.export import parsed

if TYPE_CHECKING:
    from retention.audit.checkpoint import Checkpoint


def what_a_proof_shows(index: int, body: bytes, checkpoint: Checkpoint, fingerprint: str) -> list[str]:
    """Give a few sentences; ``body`` is the entry that the proof was verified with."""
    entry = parsed(body.decode("utf-8", "replace"))
    if entry.get("kind") == "disposal":
        says = (
            f"a message received on {entry.get('received_on')} on the network {entry.get('network')} "
            f"was disposed of in batch {entry.get('batch')}; its pseudonym is {entry.get('pseudonym')}"
        )
    else:
        says = f"{entry.get('kind')}, at {entry.get('at')}"
    return [
        f"Entry {index} says: {says}.",
        (
            f"The proof shows that it stands at index {index} of the log {checkpoint.origin}, among the "
            f"{checkpoint.size} entries under the root {b64encode(checkpoint.root).decode('ascii')},"
        ),
        f"which was signed by the key with the fingerprint (SHA-256) {fingerprint}.",
        (
            "It does not show that backups lost the message, nor what was logged later: "
            "for that, keep the checkpoint and ask for consistency with a later one."
        ),
    ]
