"""A configuration with webhooks: what may stand there, and what is said of the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from retention.configured import check_sources
from retention.errors import ConfigError
from retention.resources import resource
from retention.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
HOOK = '[[source]]\nname = "hook"\nkind = "hootsuite-webhook"\n'


def loaded(folder: Path, added: str) -> Settings:
    config = folder / "retention.toml"
    config.write_text(f"{EXAMPLE}\n{added}\n", encoding="utf-8")
    settings = load_settings(config)
    check_sources(config, settings)
    return settings


def test_what_the_example_shows_of_webhooks_can_be_used(tmp_path: Path) -> None:
    shown = EXAMPLE[EXAMPLE.index('# kind = "hootsuite-webhook"') : EXAMPLE.index("\n[purge]")]
    settings = loaded(tmp_path, f'[[source]]\nname = "hook"\n{re.sub(r"(?m)^# ", "", shown)}')
    assert settings.source[-1].identity == "hootsuite-inbox"
    assert settings.serve.address == ("127.0.0.1", 8700)


def test_webhook_has_no_folder(tmp_path: Path) -> None:
    settings = loaded(tmp_path, f'{HOOK}expect_every = "P1D"')
    [webhook] = settings.webhooks
    assert (webhook.identity, webhook.path, settings.serve.register_seconds) == ("hook", None, 300)
    assert [source.folder for source in settings.of_files] == [tmp_path / "var" / "landing"]
    with pytest.raises(ConfigError, match="has no folder"):
        _ = webhook.folder


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:8700", ("::1", 8700)), ("127.9.9.9:1", ("127.9.9.9", 1))],
)
def test_addresses_of_this_machine_need_no_proxy(tmp_path: Path, listen: str, address: tuple[str, int]) -> None:
    assert loaded(tmp_path, f'{HOOK}[serve]\nlisten = "{listen}"').serve.address == address


@pytest.mark.parametrize("listen", ["0.0.0.0:8700", "192.0.2.7:8700", "[::]:8700"])
def test_other_addresses_need_a_proxy(tmp_path: Path, listen: str) -> None:
    table = f'{HOOK}[serve]\nlisten = "{listen}"\n'
    with pytest.raises(ConfigError, match=r"serve\.listen: is not of this machine alone"):
        loaded(tmp_path, table)
    assert loaded(tmp_path, f"{table}behind_proxy = true").serve.behind_proxy


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (f'{HOOK}path = "x"', "source.2.path: is for sources of files"),
        (f'{HOOK}after_ingest = "delete"', "source.2.after_ingest: is for sources of files"),
        (f'{HOOK}upstream = "api"', "no delete call"),
        (f'{HOOK}messages_of = "hootsuite-inbox"\nupstream = "order"', "source.2.upstream: is that of the source"),
        (f'{HOOK}host = "sftp.example.org"', "source.2.host: is for sources of files"),
        (f'{HOOK}client_id = "x"', "source.2.client_id: is for sources of files"),
        (f'{HOOK}expect_every = "P1M"', "days or weeks"),
        (f'{HOOK}auth = "basic"', "needs username"),
        (f'{HOOK}username = "me"', "needs username"),
        (f'{HOOK}auth = "basic"\nusername = "a:b"', "without a colon"),
        (f'{HOOK}messages_of = "hook"', "source.2.messages_of: names no source of files"),
        (f'{HOOK}messages_of = "other"', "source.2.messages_of: names no source of files"),
        (f"{HOOK}{HOOK}", "two sources have the same name"),
        ('[[source]]\nname = "a"\nkind = "archive"\npreset = "x-archive"', "source.2.path: is missing"),
        (
            '[[source]]\nname = "a"\nkind = "archive"\npreset = "x-archive"\npath = "x"\nauth = "basic"',
            "source.2.auth: is for kind",
        ),
        ('[serve]\nlisten = "localhost:8700"', "write an address in numbers"),
        ('[serve]\nlisten = "127.0.0.1:70000"', "write an address in numbers"),
        ('[serve]\nlisten = "300.0.0.1:70"', "write an address in numbers"),
        ("[serve]\nregister_seconds = 0", "greater than 0"),
        ("[serve]\nbehind_proxy = 1", "boolean"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(tmp_path: Path, added: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, added)
    assert said in str(caught.value)
