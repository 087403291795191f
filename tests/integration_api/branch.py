"""An office that lists its outbound messages at the simulator and deletes them there."""

from __future__ import annotations

import json
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from retention import cycle
from retention.configured import configured_account
from retention.sources.hootsuite_api.client import Client
from retention.store import findings
from retention.watcher import Watcher
from tests.kit import Office

if TYPE_CHECKING:
    from pathlib import Path

    from retention.context import Context
    from retention.sources.hootsuite_api.account import Account
    from retention.store.imports import ImportResult
    from tests.simulator import Simulator

_SOURCE = """[[source]]
name = "posts"
kind = "hootsuite-api"
path = "landing"
url = "{url}"
client_id = "{client_id}"
grant = "{grant}"
{whose}
look_back = "{look_back}"
upstream = "{upstream}"
"""


class Branch:
    """One installation; posts are kept for a month by default."""

    def __init__(self, folder: Path, simulator: Simulator, grant: str = "organization_app", **keys: str) -> None:
        self.simulator = simulator
        self.office = Office(folder, f"sqlite:///{folder / 'register.db'}")
        self.office.environment = {"RETENTION_POSTS_CLIENT_SECRET": simulator.told["client_secret"]}
        self.environment = self.office.environment
        self.configure(grant, **keys)
        if not (folder / "register.db").exists():  # a copy of another one has been set up
            self.office.found()

    def configure(self, grant: str = "organization_app", **keys: str) -> None:
        told = self.simulator.told
        whose = {
            "organization_app": f'organization_id = "{told["organization_id"]}"',
            "member_app": f'member_id = "{told["member_id"]}"',
            "authorization_code": 'redirect_uri = "https://office.example/back"',
        }
        given = {"url": told["url"], "client_id": told["client_id"], "look_back": "P60D", "upstream": "none", **keys}
        text = self.office.config.read_text()
        begin, end = text.index("[[source]]"), text.index("[purge]")
        text = text[:begin] + _SOURCE.format(grant=grant, whose=whose[grant], **given) + text[end:]
        text = text.replace('match = { visibility = "private" }', 'match = { source = "posts" }')
        self.office.config.write_text(text)

    @cached_property
    def context(self) -> Context:
        return self.office.open()

    def close(self) -> None:
        if "context" in self.__dict__:
            self.context.database.close()
            del self.__dict__["context"]

    @property
    def account(self) -> Account:
        settings = self.office.settings()
        return configured_account(settings, settings.source[0])

    @property
    def client(self) -> Client:
        return Client(self.account)

    def ingest(self, watcher: Watcher | None = None) -> list[ImportResult]:
        return cycle.ingest(self.context, self.office.now, watcher or Watcher())

    def registered(self) -> set[str]:
        with self.context.database.read() as connection:
            found = connection.exec_driver_sql("SELECT message_key FROM message").scalars()
            return {key.partition(":")[2] for key in found}

    def findings(self) -> list[tuple[str, str]]:
        with self.context.database.read() as connection:
            return [(one.kind, one.reason) for one in findings.load(connection, open_only=True)]

    def published(self, begin: str = "2026-10-25T00:00:00Z", end: str = "2026-11-22T00:00:00Z") -> list[dict[str, Any]]:
        """Ask as somebody else would: every message of a window."""
        client = self.simulator.organization()
        found: list[dict[str, Any]] = []
        query = {"startTime": begin, "endTime": end, "limit": 100}
        while True:
            answer = client.got("/v1/messages", **query)
            found += answer["data"]
            if not answer["metadata"]["cursor"]["next"]:
                return found
            query["cursor"] = answer["metadata"]["cursor"]["next"]

    def everything(self) -> set[str]:
        """Give the ids of all messages of the look-back."""
        ends = ("2026-09-23T12:00:00Z", "2026-10-20T00:00:00Z", "2026-11-16T00:00:00Z", "2026-11-22T12:00:00Z")
        return {message["id"] for begin, end in pairwise(ends) for message in self.published(begin, end)}

    def fail(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  # JSON
        self.simulator.control.did("/simulator/faults", kind=kind, **fields)

    def entries(self) -> list[dict[str, Any]]:
        """Read the whole audit log."""
        with self.context.database.read() as connection:
            lines = connection.exec_driver_sql("SELECT body FROM audit_entry ORDER BY seq").scalars()
            return [json.loads(line) for line in lines]

    def tokens(self) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(self.account.tokens_file.read_text())
        return kept
