"""Put the files of a service where an operating system looks for them, and take them away again.

What was written is noted with its digest, so that a file that somebody changed is known: it is never overwritten and
never removed. Data, configuration and keys are nobody's here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from retention.errors import RetentionError, UsageError
from retention.resources import resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Manner = Literal["systemd", "cron"]
ROOT = Path("/")
_PROGRAM, _LIBEXEC, _LANDING = "/opt/retention/bin/retention", "/usr/local/libexec/retention", "/srv/retention"
_STATE, _CONFIG, _CREDENTIALS = "/var/lib/retention", "/etc/retention/retention.toml", "/etc/retention/credentials"
_SAFE = re.compile(r"/[A-Za-z0-9._/@+-]*")
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# What ProtectHome= and PrivateTmp= of the units hide.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # names of folders, nothing is put there
_SHIPPED: dict[Manner, dict[str, str]] = {
    "systemd": {
        "systemd/retention.service": "etc/systemd/system/retention.service",
        "systemd/retention-run.service": "etc/systemd/system/retention-run.service",
        "systemd/retention-run.timer": "etc/systemd/system/retention-run.timer",
        "systemd/retention-alarm@.service": "etc/systemd/system/retention-alarm@.service",
        "libexec/alarm": "usr/local/libexec/retention/alarm",
        "alerts/retention.yml": "etc/retention/alerts.yml",
    },
    "cron": {
        "cron.d/retention": "etc/cron.d/retention",
        "libexec/cron-run": "usr/local/libexec/retention/cron-run",
    },
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file to be written: its path below the prefix, what is in it, and its mode."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Step:
    """What was, or would be, done with one file."""

    act: Literal["write", "update", "keep", "write beside", "remove", "leave"]
    path: Path
    why: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the program is, and where its files go; every path is absolute."""

    prefix: Path
    program: Path
    config: Path
    user: str
    group: str

    def below(self, path: str) -> Path:
        """Give where an absolute path of the artefacts lies under the prefix."""
        return self.prefix / path.lstrip("/")

    def problems(self) -> Iterator[str]:
        """Say what keeps the units from working as they are written."""
        for what, path in {
            "the program": self.program,
            "its Python": Path(sys.executable).resolve(),
            "the configuration": self.config,
            "the state folder": self.below(_STATE),
        }.items():
            if any(path.is_relative_to(hidden) for hidden in _HIDDEN):
                yield f"{what} is at {path}, which ProtectHome= and PrivateTmp= hide from the service"


@dataclass(slots=True)
class _Manifest:
    """What was written by earlier calls: each file's digest, and the folders that were made for them."""

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    def save(self) -> None:
        text = json.dumps({"files": self.files, "folders": self.folders}, indent=1, sort_keys=True) + "\n"
        _put(self.path, text.encode(), 0o644)


def check_site(site: Site, manner: Manner) -> list[str]:
    """Give what the admin must know about this place.

    Raises:
        UsageError: the files would not work there.

    """
    for path in (site.prefix, site.program, site.config):
        if not _SAFE.fullmatch(str(path)):
            msg = f"{path}: only letters, digits and . _ / @ + - can stand in a unit or a crontab; use another folder"
            raise UsageError(msg)
    if not _NAME.fullmatch(site.user):
        msg = "--user: write the name of a system user: small letters, digits, _ and -"
        raise UsageError(msg)
    problems = [*site.problems()] if manner == "systemd" else []
    if problems and site.prefix == ROOT:
        msg = "\n".join([*problems, "install the program into /opt/retention, for example, and call it from there"])
        raise UsageError(msg)
    return problems


def artefacts(site: Site, manner: Manner) -> list[Artefact]:
    """Fill the shipped files in for a site."""
    folder = resource("deploy")
    return [
        Artefact(target, _filled(site, (folder / name).read_text(encoding="utf-8")).encode(), _mode_of(target))
        for name, target in _SHIPPED[manner].items()
    ]


def example(site: Site) -> bytes:
    """Give the example configuration with the site's folders in it."""
    text = (resource("config") / "retention.toml").read_text(encoding="utf-8")
    state = site.below(_STATE)
    for key, old, new in (
        ("url", "sqlite:///var/register.db", f"sqlite:///{state}/register.db"),
        ("state", "var", str(state)),
        ("anchor", "var/anchor/checkpoints.log", f"{state}/anchor/checkpoints.log"),
        ("path", "var/landing", f"{site.below(_LANDING)}/landing"),
    ):
        text = text.replace(f'\n{key} = "{old}"', f'\n{key} = "{new}"', 1)
    return text.encode()


def install(site: Site, files: Iterable[Artefact], *, dry_run: bool) -> list[Step]:
    """Write the files, and the example configuration where there is none; take away what an earlier call wrote beside.

    Raises:
        RetentionError: a file or folder cannot be written.

    """
    manifest = _load(site.prefix)
    wanted = {str(site.below(file.path)): file for file in files}
    _demand_inside([*map(Path, wanted), site.config] if _is_ours(site) else map(Path, wanted), site.prefix)
    steps = [_written(Path(path), file, manifest, dry_run=dry_run) for path, file in wanted.items()]
    settled = {*wanted, *(str(step.path) for step in steps)}
    stale = [path for path in manifest.files if path not in settled]
    steps += [_removed(Path(path), manifest, dry_run=dry_run) for path in stale]
    if _is_ours(site) and not os.path.lexists(site.config):
        steps.append(Step("write", site.config, "an example: edit it"))
        if not dry_run:
            _folders_for(site.config, manifest)
            _put(site.config, example(site), 0o644)
    if not dry_run:
        _folders_for(manifest.path, manifest)
        manifest.save()
    return steps


def uninstall(prefix: Path, *, dry_run: bool) -> list[Step]:
    """Remove what was installed below the prefix and is as it was written.

    Raises:
        UsageError: nothing was installed there.
        RetentionError: a file cannot be removed.

    """
    manifest = _load(prefix)
    if not manifest.path.exists():
        msg = f"{manifest.path} is not there, so nothing that retention deploy install wrote is known"
        raise UsageError(msg)
    steps = [_removed(Path(path), manifest, dry_run=dry_run) for path in list(manifest.files)]
    if not dry_run:
        _taken(manifest.path)
        for folder in sorted(manifest.folders, key=len, reverse=True):
            with suppress(OSError):  # something of somebody's is in it, or it has gone already
                Path(folder).rmdir()
    return steps


def _filled(site: Site, text: str) -> str:
    places = {
        _PROGRAM: str(site.program),
        _CONFIG: str(site.config),
        _CREDENTIALS: str(site.config.parent / "credentials"),
        _LIBEXEC: str(site.below(_LIBEXEC)),
        _STATE: str(site.below(_STATE)),
        _LANDING: str(site.below(_LANDING)),
    }
    if site.prefix != ROOT:  # systemd knows its own state folder only
        text = re.sub(
            r"^StateDirectory=.*\nStateDirectoryMode=.*$", f"ReadWritePaths={_STATE}", text, flags=re.MULTILINE
        )
    text = re.sub(r"^User=retention$", f"User={site.user}", text, flags=re.MULTILINE)
    text = re.sub(r"^Group=retention$", f"Group={site.group}", text, flags=re.MULTILINE)
    text = re.sub(r"^(17 4 \* \* \*) retention ", rf"\1 {site.user} ", text, flags=re.MULTILINE)
    return re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)


def _mode_of(target: str) -> int:
    return 0o755 if "/libexec/" in target else 0o644


def _load(prefix: Path) -> _Manifest:
    path = prefix / "etc/retention/deployed.json"
    manifest = _Manifest(path)
    _demand_inside([path], prefix)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        manifest = _Manifest(path, {**told["files"]}, [*told["folders"]])
        ours = all(_is_below(name, prefix) for name in (*manifest.files, *manifest.folders))
    except FileNotFoundError:
        return manifest
    except OSError as error:
        raise _cannot(path, error) from None
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours or path.is_symlink():
        msg = f"{path} is not as retention deploy wrote it; put it back, or remove the installed files yourself"
        raise RetentionError(msg)
    _demand_inside(map(Path, manifest.files), prefix)
    _demand_inside((Path(folder) / "x" for folder in manifest.folders), prefix)
    return manifest


def _is_ours(site: Site) -> bool:
    return site.config.is_relative_to(site.prefix)


def _demand_inside(paths: Iterable[Path], prefix: Path) -> None:
    """Refuse paths whose folder is another one than it seems: root writes and removes nothing outside of the prefix."""
    root = prefix.resolve()
    for path in paths:
        if not Path(os.path.realpath(path.parent)).is_relative_to(root):
            msg = f"{path.parent}: a link on the way there leads out of {prefix}; put a folder in the place of the link"
            raise RetentionError(msg)


def _is_below(name: str, prefix: Path) -> bool:
    """Tell whether a path of the list can be one of ours: whoever wrote the list must not choose what root removes."""
    return Path(name).is_relative_to(prefix) and ".." not in Path(name).parts


def _written(path: Path, file: Artefact, manifest: _Manifest, *, dry_run: bool) -> Step:
    wanted, found = _digest(file.content), _digest_of(path)
    if found == wanted:
        step = Step("keep", path, "as it should be")
    elif found is None:
        step = Step("write", path)
    elif found == manifest.files.get(str(path)):
        step = Step("update", path)
    else:
        step = _beside(path, wanted, manifest)
    if not dry_run and step.act != "leave":
        if step.act != "keep":
            _folders_for(step.path, manifest)
            _put(step.path, file.content, file.mode)
        manifest.files[str(step.path)] = wanted
    return step


def _beside(path: Path, wanted: str, manifest: _Manifest) -> Step:
    beside = path.with_name(path.name + ".new")
    found = _digest_of(beside)
    if found == wanted:
        return Step("keep", beside, "somebody changed the file without .new")
    if found is None or found == manifest.files.get(str(beside)):
        return Step("write beside", beside, "somebody changed the file without .new")
    return Step("leave", beside, "somebody changed this and the file without .new")


def _removed(path: Path, manifest: _Manifest, *, dry_run: bool) -> Step:
    found = _digest_of(path)
    if found is None:
        step = Step("leave", path, "has gone already")
    elif found != manifest.files[str(path)]:
        step = Step("leave", path, "somebody changed it")
    else:
        step = Step("remove", path)
    if not dry_run:
        if step.act == "remove":
            _taken(path)
        del manifest.files[str(path)]
    return step


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str | None:
    """Give a file's digest; None where there is nothing, and a text that is no digest for what is not a plain file."""
    try:
        # A unit that was masked is a link to nowhere, and must stay one.
        return _digest(path.read_bytes()) if path.is_file() and not path.is_symlink() else _other(path)
    except OSError as error:
        raise _cannot(path, error) from None


def _other(path: Path) -> str | None:
    return "other" if os.path.lexists(path) else None


def _folders_for(path: Path, manifest: _Manifest) -> None:
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir()
            folder.chmod(0o755)  # whatever the umask: the service and people must get through
            if folder.is_relative_to(manifest.path.parents[2]):  # what is above the prefix is not in the list
                manifest.folders.append(str(folder))
    except OSError as error:
        raise _cannot(path, error) from None


def _put(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all."""
    try:
        # O_EXCL, O_NOFOLLOW and a name that nobody foretells: a link that lies there in wait is not written through.
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _cannot(path, error) from None
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # of a descriptor
            file.write(content)
            os.fchmod(descriptor, mode)
        Path(beside).replace(path)
    except OSError as error:
        with suppress(OSError):
            Path(beside).unlink()
        raise _cannot(path, error) from None


def _taken(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise _cannot(path, error) from None


def _cannot(path: Path, error: OSError) -> RetentionError:
    return RetentionError(f"{path}: {error.strerror}; check the folder's owner and mode")
