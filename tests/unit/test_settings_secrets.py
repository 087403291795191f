"""Where a secret is read from: the service manager's credential, a named file, the environment; nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.errors import ConfigError
from retention.settings.secrets import read_secret

if TYPE_CHECKING:
    from pathlib import Path

NAME = "database-password"
VALUE = "qzsecretvalue"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CREDENTIALS_DIRECTORY", "RETENTION_DATABASE_PASSWORD", "RETENTION_DATABASE_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


def _file(folder: Path, text: str) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    return path


def test_there_is_no_secret_where_nobody_gave_one() -> None:
    assert read_secret(NAME) is None


def test_the_environment_gives_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD", VALUE)
    assert read_secret(NAME) == VALUE


def test_a_named_file_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD", "other")
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD_FILE", str(_file(tmp_path, f"{VALUE}\n")))
    assert read_secret(NAME) == VALUE


def test_the_service_managers_credential_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD_FILE", str(_file(tmp_path, "other")))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / NAME).write_text(VALUE, encoding="utf-8")
    assert read_secret(NAME) == VALUE
    (tmp_path / NAME).unlink()
    assert read_secret(NAME) == "other"


def test_only_the_line_end_of_an_editor_is_taken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD_FILE", str(_file(tmp_path, " a b \n")))
    assert read_secret(NAME) == " a b "


@pytest.mark.parametrize("content", [None, b"\xff" + VALUE.encode()])
def test_a_file_that_cannot_be_read_is_named_and_nothing_else_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD", VALUE)
    monkeypatch.setenv("RETENTION_DATABASE_PASSWORD_FILE", str(path))
    with pytest.raises(ConfigError) as caught:
        read_secret(NAME)
    assert str(path) in str(caught.value)
    assert VALUE not in str(caught.value)
