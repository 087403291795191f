"""The units and the cron line that call the program: what is installed, what is switched on, and what they allow."""

from __future__ import annotations

import pwd
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retention.doctor.station import Station

TIMER, RUN, SERVICE = "retention-run.timer", "retention-run.service", "retention.service"
CRON = "etc/cron.d/retention"
_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system")
_ASKED = (
    "IPAddressAllow",
    "IPAddressDeny",
    "RestrictAddressFamilies",
    "NoNewPrivileges",
    "ProtectSystem",
    "SystemCallFilter",
    "ReadWritePaths",
    "StateDirectory",
    "User",
)
_KNOWN = {"localhost": "127.0.0.0/8 ::1/128", "any": "0.0.0.0/0 ::/0", "link-local": "169.254.0.0/16 fe80::/64"}


class Unit(NamedTuple):
    """A service's unit as it is in force, its drop-ins included: each directive with all its words."""

    name: str
    words: Mapping[str, str]

    def list_of(self, name: str) -> list[str]:
        """Give the words of a directive."""
        return self.words.get(name, "").split()

    def lets_out(self, host: str) -> bool | None:
        """Tell whether an address may be spoken to; None of a name, whose addresses only a resolver knows."""
        if not self.list_of("IPAddressDeny"):
            return True
        networks = list(_networks(self.list_of("IPAddressAllow")))
        try:
            address = ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            beyond = [one for one in networks if not one.is_loopback]
            return None if beyond else False
        return any(address in one for one in networks)


def _networks(words: list[str]) -> Iterator[IPv4Network | IPv6Network]:
    for word in " ".join(_KNOWN.get(word, word) for word in words).split():
        try:
            yield ip_network(word, strict=False)
        except ValueError:  # a name of systemd's that is none of ours
            continue


def installed(station: Station) -> list[Unit]:
    """Give the service units that are installed, asked of systemd where it runs and else read from the disk."""
    found = [(name, _asked(station, name) or _read(station, name)) for name in (RUN, SERVICE)]
    return [Unit(name, words) for name, words in found if words]


def user_of(station: Station) -> int | None:
    """Give the user of the installed units, where they name one that this machine knows."""
    for unit in installed(station):
        try:
            return pwd.getpwnam(unit.words.get("User", "")).pw_uid
        except KeyError:
            continue
    return None


def switched_on(station: Station) -> list[str]:
    """Name what calls the program by itself: the timer, the service, the cron line."""
    found = [name for name in (TIMER, SERVICE) if _is_enabled(station, name)]
    return [*found, *([f"/{CRON}"] if station.exists(CRON) else [])]


def _is_enabled(station: Station, name: str) -> bool:
    if station.has_systemd:
        told = station.tool(["systemctl", "show", name, "-p", "UnitFileState", "--value"])
        if told is not None:
            return told.strip().startswith("enabled")
    folder = station.root / "etc/systemd/system"
    return any(one.is_symlink() or one.exists() for one in folder.glob(f"*.wants/{name}"))


def _asked(station: Station, name: str) -> dict[str, str]:
    if not station.has_systemd:
        return {}
    told = station.tool(["systemctl", "show", name, "-p", "LoadState", *(f"-p{one}" for one in _ASKED)])
    words = dict(line.split("=", 1) for line in (told or "").splitlines() if "=" in line)
    return words if words.get("LoadState") == "loaded" else {}


def _read(station: Station, name: str) -> dict[str, str]:
    """Read a unit and its drop-ins as systemd would: lists grow, an empty value begins them anew."""
    main = next((f"{one}/{name}" for one in _FOLDERS if station.exists(f"{one}/{name}")), None)
    if main is None:
        return {}
    drops: dict[str, str] = {}
    for folder in reversed(_FOLDERS):
        drops |= {
            path.name: f"{folder}/{name}.d/{path.name}" for path in (station.root / folder).glob(f"{name}.d/*.conf")
        }
    words: dict[str, str] = {"LoadState": "loaded"}
    for path in [main, *(drops[one] for one in sorted(drops))]:
        for key, value in re.findall(r"^([A-Za-z]+)=[ \t]*(.*)$", station.text(path) or "", re.MULTILINE):
            words[key] = f"{words.get(key, '')} {value}".strip() if value else ""
    return words
