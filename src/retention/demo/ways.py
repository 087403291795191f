"""The demo's second part: every way in, against the simulator, and the truth about the copies at the source."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from retention.demo.outside import Hootsuite, started
from retention.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retention.demo.narration import Narrator

_BEGIN = datetime.combine(date(2026, 8, 10), time(6, 0), UTC)
_FROM = _BEGIN - timedelta(days=9)
_NEXT_DAY = datetime.combine(date(2026, 8, 11), time(23), UTC)  # midnight in London
_THREE_MONTHS_ON = datetime.combine(date(2026, 11, 11), time(6, 0), UTC)
_LATER = _THREE_MONTHS_ON + timedelta(days=8)
_HOUR = timedelta(hours=1)

_CONFIGURATION = """\
# The demo's second office: three ways in. Relative paths are relative to this file.
[database]
url = "sqlite:///var/register.db"

[paths]
state = "var"
anchor = "var/anchor/checkpoints.log"

[schedule]
time_zone = "Europe/London"

[[schedule.rule]]
name = "posts"
match = {{ source = "posts" }}
keep = "P3M"
authority = "Privacy notice: what we publish"

[[schedule.rule]]
name = "direct-messages"
match = {{ visibility = "private" }}
keep = "P3M"
authority = "Privacy notice: people who contact us via social media"

[[source]]
name = "hootsuite-inbox"
kind = "sftp"                               # where Hootsuite delivers exports; its API lists no private messages
preset = "hootsuite-inbox"
path = "var/landing"
time_zone = "Europe/London"
host = "{sftp_host}"
port = {sftp_port}
user = "{sftp_user}"
host_key = "{sftp_host_key}"
sign_in = "password"
settle_seconds = 0
upstream = "order"                          # people delete there: Hootsuite has no call that deletes a private message

[[source]]
name = "inbox-events"
kind = "hootsuite-webhook"
messages_of = "hootsuite-inbox"

[[source]]
name = "posts"
kind = "hootsuite-api"
path = "var/landing-posts"
url = "{url}"
client_id = "{client_id}"
grant = "member_app"
member_id = "{member_id}"
look_back = "P92D"
upstream = "api"                            # what the office itself has sent can be deleted by a call

[serve]
listen = "127.0.0.1:0"

[purge]
max_share = 1.0                             # a small office, and three months at once
max_clock_jump = "P120D"
"""


@dataclass(frozen=True)
class Ways:
    """The second part under way."""

    tell: Narrator
    seed: int

    def guide(self) -> None:
        """Tell the story.

        Raises:
            RetentionError: a command did not end as the story says.

        """
        self.tell.say(
            "Every way in. The simulator plays Hootsuite, with an SFTP folder for exports, the REST API and webhooks:"
        )
        begin = ["--now", f"{_BEGIN:%Y-%m-%dT%H:%MZ}", "--frozen", "--messages", "150", "--per-day", "6"]
        where = ["--listen", "127.0.0.1:0", "--sftp", "127.0.0.1:0", "--directory", str(self.tell.folder / "hootsuite")]
        with started(["simulate", *begin, *where, "--seed", str(self.seed)], self.tell.show, self.tell.program) as told:
            hootsuite = Hootsuite(told, self.tell.show)
            with _credentials(self.tell, told):
                self._pull(hootsuite)
                self._receive(hootsuite)
                self._purge(hootsuite)
                self._carried_out(hootsuite)
                self._not_carried_out(hootsuite)

    def _pull(self, hootsuite: Hootsuite) -> None:
        (self.tell.folder / "retention.toml").write_text(_CONFIGURATION.format(**hootsuite.told), encoding="utf-8")
        self.tell.step(["init", "--drill"], _BEGIN)
        self.tell.say(
            "Hootsuite writes an export of nine days there. One command fetches it, and lists what the API has:"
        )
        self._export(hootsuite, _FROM, _BEGIN)
        self.tell.step(["ingest"], _BEGIN)

    def _receive(self, hootsuite: Hootsuite) -> None:
        self.tell.say(
            "A signed event tells of a message at once, without waiting for an export. `retention serve` takes it, "
            "answers when the event is committed, and keeps no text and no name."
        )
        with started(self.tell.full(["serve", "--no-jobs"], _BEGIN), self.tell.show, self.tell.program) as receiver:
            hootsuite.does("PUT", "webhook", url=receiver["webhooks"][0])
            hootsuite.does("POST", "inbox/messages", count=2, visibility="private", direction="inbound")
            heard = hootsuite.does("GET", "deliveries?wait=true")
            self._say_what_was_answered(heard)
            hootsuite.does("DELETE", "webhook")
        self.tell.step(["ingest"], _BEGIN + _HOUR)
        self.tell.say("The next export has the two messages as well. Each is registered once:")
        hootsuite.does("POST", "clock", now=_zulu(_NEXT_DAY))
        self._export(hootsuite, _BEGIN, _NEXT_DAY)
        self.tell.step(["ingest"], _NEXT_DAY)

    def _purge(self, hootsuite: Hootsuite) -> None:
        self.tell.say(
            "Three months later `retention run` disposes of what is due. Posts are deleted at Hootsuite by calls, with "
            "receipts. For private messages there is no call, so an order tells people to:"
        )
        hootsuite.does("POST", "clock", now=_zulu(_THREE_MONTHS_ON))
        self._export(hootsuite, _NEXT_DAY, _THREE_MONTHS_ON)
        self.tell.step(["run"], _THREE_MONTHS_ON)
        self.tell.step(["upstream", "list"], _THREE_MONTHS_ON)

    def _carried_out(self, hootsuite: Hootsuite) -> None:
        self.tell.say("Somebody deletes them in Hootsuite's dashboard and attests it. That is a word:")
        gone_before = _THREE_MONTHS_ON.replace(month=8, hour=0)
        hootsuite.does("POST", "inbox/delete", visibility="private", before=_zulu(gone_before - _HOUR))
        by = ["--by", "Records officer", "--reference", "ticket 4711"]
        self.tell.step(["upstream", "attest", "1", *by], _THREE_MONTHS_ON + _HOUR)
        self.tell.say("A later export of those days is evidence. The messages are not in it: the order is ABSENT.")
        self._look_again(hootsuite, _THREE_MONTHS_ON + 2 * _HOUR)
        self.tell.step(["status"], _THREE_MONTHS_ON + 3 * _HOUR)

    def _not_carried_out(self, hootsuite: Hootsuite) -> None:
        self.tell.say("Eight days later the next order is attested as well. But this time nobody has deleted anything:")
        hootsuite.does("POST", "clock", now=_zulu(_LATER))
        self.tell.step(["run"], _LATER)
        by = ["--by", "Records officer", "--reference", "ticket 4712"]
        self.tell.step(["upstream", "attest", "2", *by], _LATER + _HOUR)
        self.tell.say(
            "The next export shows them: the order is PRESENT. The promise breaks unless they go by its last day:"
        )
        self._look_again(hootsuite, _LATER + 2 * _HOUR)
        self.tell.step(["status"], _LATER + 3 * _HOUR, expected={4})

    def _look_again(self, hootsuite: Hootsuite, now: datetime) -> None:
        hootsuite.does("POST", "clock", now=_zulu(now))
        self._export(hootsuite, _FROM - timedelta(days=2), now)
        self.tell.step(["ingest"], now)
        self.tell.step(["upstream", "list"], now)

    def _export(self, hootsuite: Hootsuite, start: datetime, end: datetime) -> None:
        hootsuite.does("POST", "export", **{"from": _zulu(start), "to": _zulu(end)})

    def _say_what_was_answered(self, heard: dict[str, Any]) -> None:
        for one in heard["deliveries"]:
            answers = ", ".join(str(attempt["status"]) for attempt in one["attempts"])
            self.tell.show(f"  {one['type']}: answered {answers}")


@contextmanager
def _credentials(tell: Narrator, told: dict[str, Any]) -> Iterator[None]:
    """Put the secrets where systemd puts them, for the block, and show how that is said."""
    secrets = {
        "hootsuite-inbox-sftp-password": told["sftp_password"],
        "inbox-events-secret": told["webhook_secret"],
        "posts-client-secret": told["client_secret"],
    }
    place = tell.folder.absolute() / "credentials"
    try:
        place.mkdir(mode=0o700, parents=True)
        for name, secret in secrets.items():
            (place / name).write_text(secret, encoding="utf-8")
            (place / name).chmod(0o600)
    except OSError as error:
        msg = f"{place} cannot be made ({error.strerror}); name another folder"
        raise UsageError(msg) from None
    before = os.environ.get("CREDENTIALS_DIRECTORY")
    tell.show(f"$ export CREDENTIALS_DIRECTORY={shlex.quote(str(place))}")
    os.environ["CREDENTIALS_DIRECTORY"] = str(place)
    try:
        yield
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
        if before is not None:
            os.environ["CREDENTIALS_DIRECTORY"] = before


def _zulu(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
