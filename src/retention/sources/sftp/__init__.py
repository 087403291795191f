"""Files that wait on an SFTP server: list, fetch and remove them over one connection to one pinned host key.

The library that speaks the protocol is part of the extra ``sftp`` and is imported when a connection is made.
"""

from __future__ import annotations

from retention.sources.sftp.account import Account
from retention.sources.sftp.host_key import PinnedKey, parse_host_key
from retention.sources.sftp.pickup import SftpPickup

__all__ = ["Account", "PinnedKey", "SftpPickup", "parse_host_key"]
