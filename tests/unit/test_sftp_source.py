"""What can be said of an SFTP source without a server: its configuration, its pinned key, names that may be used."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import asyncssh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.configured import check_sources
from retention.errors import ConfigError
from retention.resources import resource
from retention.settings import Settings, load_settings
from retention.sources.interface import SkippedFile
from retention.sources.sftp import parse_host_key
from retention.sources.sftp.names import LONGEST, judge_name
from tests.depth import tries

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = (resource("config") / "retention.toml").read_text(encoding="utf-8")
FINGERPRINT = f"SHA256:{'a' * 43}"
SECRET = "qzsecretvalue"  # noqa: S105  # opens nothing
KEYS = {
    "host": '"sftp.example.org"',
    "user": '"export"',
    "host_key": f'"{FINGERPRINT}"',
}
SUFFIXES = (".csv", ".csv.gz", ".zip")


def loaded(folder: Path, kind: str = "sftp", more: str = "", **keys: str) -> Settings:
    text = "\n".join(f"{key} = {value}" for key, value in keys.items())
    path = folder / "retention.toml"
    example = EXAMPLE.replace('kind = "csv-export"\n', f'kind = "{kind}"\n{text}\n')
    path.write_text(example.replace("[purge]", f"{more}[purge]"), encoding="utf-8")
    read = load_settings(path)
    check_sources(path, read)
    return read


def problems(folder: Path, kind: str = "sftp", more: str = "", **keys: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, kind, more, **keys)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_the_example_shows_a_source_that_can_be_used(tmp_path: Path) -> None:
    begin, end = EXAMPLE.index("# host = "), EXAMPLE.index("# Any other CSV")
    shown = [line.removeprefix("# ") for line in EXAMPLE[begin:end].splitlines() if " = " in line]
    keys = dict(line.split("#")[0].strip().split(" = ", 1) for line in shown)
    keys["host_key"] = f'"{FINGERPRINT}"'
    [source] = loaded(tmp_path, **keys).source
    assert (source.remote_folder, source.after_fetch, source.port, source.sign_in) == (
        "/export/message",
        "remove",
        22,
        "key",
    )


def test_keys_have_their_defaults_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    [source] = loaded(tmp_path, **KEYS).source
    assert (source.port, source.sign_in, source.key_file) == (22, "key", None)
    assert (source.remote_folder, source.after_fetch) == ("/export/message", "remove")
    [source] = loaded(tmp_path, **KEYS, key_file='"keys/id"').source
    assert source.key_file == tmp_path / "keys" / "id"


def test_what_a_server_needs_is_missing_by_name(tmp_path: Path) -> None:
    told = problems(tmp_path)
    assert all(f'kind "sftp" needs {key}' in told for key in KEYS)


def test_two_sources_do_not_fetch_from_one_folder(tmp_path: Path) -> None:
    keys = "".join(f"{key} = {value}\n" for key, value in KEYS.items())
    second = f'[[source]]\nname = "b"\nkind = "sftp"\npreset = "hootsuite-inbox"\npath = "b"\ntime_zone = "UTC"\n{keys}'
    assert "two sources fetch from the same folder" in problems(tmp_path, **KEYS, more=f"{second}port = 22\n")
    loaded(tmp_path, **KEYS, more=f"{second}port = 23\n")


@pytest.mark.parametrize("kind", ["csv-export", "archive"])
def test_keys_of_a_server_do_not_go_with_a_folder(tmp_path: Path, kind: str) -> None:
    told = problems(tmp_path, kind, **KEYS, after_fetch='"leave"')
    assert told.count('goes with kind = "sftp"') == 4


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("host", f'"sftp://{SECRET}"', "name or address alone"),
        ("host", f'"{SECRET} x"', "name or address alone"),
        ("port", "0", "greater than or equal to 1"),
        ("port", "70000", "less than or equal to 65535"),
        ("sign_in", f'"{SECRET}"', "'password'"),
        ("after_fetch", f'"{SECRET}"', "'leave'"),
        ("remote_folder", f'"{SECRET}"', "whole path on the server"),
        ("remote_folder", f'"/a/../{SECRET}"', "whole path on the server"),
        ("remote_folder", f'"/{SECRET}\\n"', "whole path on the server"),
        ("host_key", f'"{SECRET}"', "ssh-ed25519 AAAA"),
        ("host_key", '"ssh-ed25519 AAAA"', "ssh-ed25519 AAAA"),
        ("host_key", '"ssh-ed25519 Ä"', "ssh-ed25519 AAAA"),
        ("host_key", '"MD5:00:11"', "ssh-ed25519 AAAA"),
    ],
)
def test_a_wrong_value_is_told_without_it(tmp_path: Path, key: str, value: str, reason: str) -> None:
    told = problems(tmp_path, **{**KEYS, key: value})
    assert f"source.1.{key}: " in told
    assert reason in told


def test_a_password_and_a_key_file_do_not_go_together(tmp_path: Path) -> None:
    assert 'key_file: goes with sign_in = "key"' in problems(tmp_path, **KEYS, sign_in='"password"', key_file='"id"')


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_pinned_key_has_the_fingerprint_that_other_tools_show(kind: str) -> None:
    key = asyncssh.generate_private_key(kind)
    line = key.export_public_key().decode()
    pinned = parse_host_key(line)
    assert pinned.fingerprint == key.get_fingerprint()
    assert pinned.algorithms
    assert kind == "ssh-rsa" or pinned.algorithms == (kind,)
    assert "ssh-rsa" not in pinned.algorithms, "its signatures are SHA-1"
    assert parse_host_key(pinned.fingerprint).fingerprint == pinned.fingerprint
    assert parse_host_key(f"{line.strip()} a comment") == pinned


@settings(max_examples=tries(50))
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: f"{text}.csv".encode("utf-8", "replace")))
)
def test_no_name_of_a_server_leads_out_of_the_landing_folder_or_can_do_harm(raw: bytes) -> None:
    judged = judge_name(raw, SUFFIXES)
    if isinstance(judged, str):
        assert judged.encode() == raw
        assert len(raw) <= LONGEST
        assert judged.isprintable()
        assert not set(judged) & set("/\\\0\n")
        assert not judged.startswith(".")
        assert judged.lower().endswith(SUFFIXES)
    elif isinstance(judged, SkippedFile):
        assert judged.name.isprintable()


def test_the_library_is_loaded_only_when_there_is_something_to_fetch() -> None:
    code = "import sys, retention.cycle, retention.context; print('paramiko' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
