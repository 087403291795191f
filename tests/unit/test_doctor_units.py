"""What the doctor reads of a machine: units and their drop-ins, the timer, mounts; a machine is a folder here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retention.doctor.disks import mount_of
from retention.doctor.station import Station
from retention.doctor.units import RUN, SERVICE, TIMER, Unit, installed, switched_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def station(root: Path, answers: dict[str, str] | None = None) -> Station:
    def tool(words: Sequence[str]) -> str | None:
        return next((told for asked, told in (answers or {}).items() if asked in " ".join(words)), None)

    return Station(None, 1000, 1000, root, {}, tool, "retention")


def test_drop_ins_add_to_a_unit_and_an_empty_value_begins_anew(tmp_path: Path) -> None:
    put(
        tmp_path,
        f"usr/lib/systemd/system/{RUN}",
        "[Service]\nUser=retention\nIPAddressDeny=any\nIPAddressAllow=localhost\n",
    )
    put(tmp_path, f"etc/systemd/system/{RUN}.d/10.conf", "[Service]\nIPAddressAllow=192.0.2.0/24\nUser=\nUser=other\n")
    (unit,) = installed(station(tmp_path))
    assert unit.words["User"] == "other"
    assert unit.list_of("IPAddressAllow") == ["localhost", "192.0.2.0/24"]
    assert unit.lets_out("192.0.2.7") is True
    assert unit.lets_out("198.51.100.7") is False
    assert unit.lets_out("localhost") is True
    assert unit.lets_out("db.example.org") is None, "its addresses are for a resolver to tell, which is not asked"


def test_a_name_is_kept_in_where_only_this_machine_may_be_spoken_to() -> None:
    unit = Unit(RUN, {"IPAddressDeny": "any", "IPAddressAllow": "localhost"})
    assert unit.lets_out("db.example.org") is False
    assert unit.lets_out("::1") is True
    assert Unit(RUN, {}).lets_out("db.example.org") is True


def test_systemd_is_asked_where_it_runs(tmp_path: Path) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    asked = station(
        tmp_path,
        {
            f"show {SERVICE} -p LoadState": "LoadState=loaded\nIPAddressDeny=::/0\nIPAddressAllow=127.0.0.0/8\n",
            f"show {RUN} -p LoadState": "LoadState=not-found\n",
            f"show {TIMER}": "disabled\n",
            f"show {SERVICE} -p UnitFileState": "enabled\n",
        },
    )
    (unit,) = installed(asked)
    assert (unit.name, unit.lets_out("127.0.0.1"), unit.lets_out("192.0.2.7")) == (SERVICE, True, False)
    assert switched_on(asked) == [SERVICE]


def test_what_is_switched_on_is_seen_on_the_disk(tmp_path: Path) -> None:
    assert switched_on(station(tmp_path)) == []
    put(tmp_path, f"etc/systemd/system/timers.target.wants/{TIMER}", "")
    put(tmp_path, "etc/cron.d/retention", "")
    assert switched_on(station(tmp_path)) == [TIMER, "/etc/cron.d/retention"]


def test_a_place_is_on_the_mount_that_is_nearest(tmp_path: Path) -> None:
    place = tmp_path / "a b"
    place.mkdir()
    spelled = str(place.resolve()).replace(" ", "\\040")
    put(
        tmp_path,
        "proc/self/mountinfo",
        f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / {spelled} rw shared:1 - nfs4 host:/x rw\n",
    )
    found, above = mount_of(station(tmp_path), place / "register.db"), mount_of(station(tmp_path), tmp_path)
    assert found is not None
    assert above is not None
    assert (found.kind, above.kind) == ("nfs4", "ext4")
    assert mount_of(station(tmp_path / "nowhere"), place) is None


@pytest.mark.parametrize(
    ("person", "worker", "begins"),
    [(1000, 1000, "retention run"), (0, 0, "retention run"), (1000, 4_000_000, "sudo -u '#4000000' retention run")],
)
def test_a_command_is_spelled_for_whoever_asks(tmp_path: Path, person: int, worker: int, begins: str) -> None:
    there = Station(tmp_path / "a b.toml", person, worker, tmp_path, {}, lambda _: None, "retention")
    assert there.ours("run") == f"{begins} --config '{tmp_path}/a b.toml'"
    assert there.machine("df").startswith("df" if person == 0 else "sudo df")
