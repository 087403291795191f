"""Who is told, as the configuration says it: what cannot be used is told by file, line and key, and never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.errors import ConfigError
from retention.resources import resource
from retention.settings import Settings, load_settings
from retention.settings.notify import KINDS
from tests.mail_server import table

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
SECRET = "qzsecretvalue"  # noqa: S105  # opens nothing
MAIL: dict[str, object] = {
    "name": "office",
    "kind": "mail",
    "host": "mail.example.org",
    "from": "retention@example.org",
    "to": ["dpo@example.org"],
}
HOOK: dict[str, object] = {"name": "chat", "kind": "webhook", "url": "https://chat.example.org/x"}


def loaded(folder: Path, *tables: str) -> Settings:
    config = folder / "retention.toml"
    config.write_text("\n".join([EXAMPLE, *tables]), encoding="utf-8")
    return load_settings(config)


def test_a_channel_needs_little(tmp_path: Path) -> None:
    mail, hook = loaded(tmp_path, table(**MAIL, certificate="ca.pem"), table(**HOOK)).notify
    assert (mail.security, mail.hosts, mail.about) == ("starttls", [("mail.example.org", 587)], [*KINDS])
    assert mail.certificate == tmp_path / "ca.pem"
    assert (mail.credential, hook.credential) == ("office-smtp-password", "chat-notify-secret")
    assert hook.hosts == [("chat.example.org", 443)]
    assert (mail.repeat_time.days, mail.ahead_time.days, mail.summary_day) == (1, 14, "monday")


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        (MAIL | {"security": "tls"}, ("mail.example.org", 465)),
        (MAIL | {"security": "none", "host": "127.0.0.1"}, ("127.0.0.1", 25)),
        (MAIL | {"security": "none", "host": "::1", "port": 2525}, ("::1", 2525)),
        (HOOK | {"url": "http://localhost:8065/hooks/x"}, ("localhost", 8065)),
        (HOOK | {"url": "http://[::1]/x"}, ("::1", 80)),
    ],
)
def test_where_a_channel_connects_to_can_be_listed(
    tmp_path: Path, given: dict[str, object], hosts: tuple[str, int]
) -> None:
    assert loaded(tmp_path, table(**given)).notify[0].hosts == [hosts]


def test_no_job_tells_where_nobody_is_to_be_told(tmp_path: Path) -> None:
    assert "notify" not in loaded(tmp_path).job_times
    assert loaded(tmp_path, table(**HOOK)).job_times["notify"] == "*/15 * * * *"
    off = '[serve.jobs]\nnotify = ""\n'
    assert "notify" not in loaded(tmp_path, table(**HOOK), off).job_times


@pytest.mark.parametrize(
    ("given", "key", "reason"),
    [
        (MAIL | {"security": "none"}, "notify.1.security", "this machine only"),
        (MAIL | {"security": SECRET}, "notify.1.security", "must be"),
        (MAIL | {"from": f"{SECRET}\r\nBcc: x@example.org"}, "notify.1.from", "plain address"),
        (MAIL | {"from": f"Office <{SECRET}@example.org>"}, "notify.1.from", "plain address"),
        (MAIL | {"to": [f"{SECRET}@example.org\nX: y"]}, "notify.1.to.1", "plain address"),
        (MAIL | {"to": []}, "notify.1.to", "at least 1"),
        (MAIL | {"host": f"{SECRET} x"}, "notify.1.host", "alone"),
        (MAIL | {"name": f"{SECRET}\n"}, "notify.1.name", "small letters"),
        (MAIL | {"user": f"{SECRET}\rx"}, "notify.1.user", "visible ASCII"),
        (MAIL | {"port": 0}, "notify.1.port", "greater"),
        (MAIL | {"url": "https://x.example"}, "notify.1.url", 'not for kind = "mail"'),
        (MAIL | {"about": [SECRET]}, "notify.1.about.1", "must be"),
        (MAIL | {"about": []}, "notify.1.about", "at least 1"),
        (MAIL | {"repeat": "P1M"}, "notify.1.repeat", "days or weeks"),
        (MAIL | {"summary_day": "montag"}, "notify.1.summary_day", "must be"),
        (MAIL | {"security": "none", "host": "localhost", "certificate": "x"}, "notify.1.certificate", "goes with"),
        (MAIL | {"kind": SECRET}, "notify.1.kind", "must be"),
        (MAIL | {"host": None}, "notify.1", "needs host"),
        (HOOK | {"url": None}, "notify.1", "needs url"),
        (HOOK | {"url": "http://chat.example.org/x"}, "notify.1.url", "https"),
        (HOOK | {"url": f"https://a:{SECRET}@chat.example.org/x"}, "notify.1.url", "without user name"),
        (HOOK | {"to": ["dpo@example.org"]}, "notify.1.to", 'not for kind = "webhook"'),
        (HOOK | {"timeout_seconds": 0.0}, "notify.1.timeout_seconds", "greater"),
    ],
)
def test_what_is_wrong_with_a_channel_is_told_by_its_key(
    tmp_path: Path, given: dict[str, object], key: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, table(**given))
    [problem] = caught.value.problems
    place, told = problem.removeprefix(f"{tmp_path / 'retention.toml'}:").split(": ", 1)
    assert place.isdecimal()
    assert told.startswith(f"{key}: ")
    assert reason in told
    assert SECRET not in told


def test_two_channels_of_one_name_are_told_by_the_line_of_the_second(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"notify\.2\.name: two channels have the same name"):
        loaded(tmp_path, table(**HOOK), table(**MAIL | {"name": "chat"}))
