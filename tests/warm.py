"""Commands as processes of their own that start at once: forked from a process that has loaded the program.

    python -m tests.warm DESCRIPTOR

reads one order at a time from a socket (JSON: arguments, environment, folder; with it come three descriptors, which
become the child's standard streams) and answers with the child's status. A fresh interpreter takes half a second until
it works. The process that forks has one thread and no open file or database; it ends when the socket is closed.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from retention.cli import main
from retention.cli.app import COMMANDS, retention

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).parents[1]
_PATIENCE_SECONDS = 100
_LONGEST_ORDER = 1 << 20
# An interpreter reads these when it starts, so a command that is given others than its parent needs a fresh one.
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC")


def run_command(
    arguments: list[str], environment: Mapping[str, str], folder: Path, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``retention`` with these arguments as a process of its own, as ``subprocess.run`` would."""
    if _set_for_interpreters(environment) != _set_for_interpreters(os.environ):
        return _run_afresh(arguments, environment, folder, text)
    with ExitStack() as files:
        given, out, err = (files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3))
        given.write(text or "")
        given.seek(0)
        status = _opened_parent().order(arguments, environment, folder, [one.fileno() for one in (given, out, err)])
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, os.waitstatus_to_exitcode(status), out.read(), err.read())


def _set_for_interpreters(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OF_THE_INTERPRETER)}


def _run_afresh(
    arguments: list[str], environment: Mapping[str, str], folder: Path, text: str | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "retention", *arguments],
        capture_output=True,
        text=True,
        input=text,
        env=environment,
        cwd=folder,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )


class _Parent:
    """The other end of the process that forks."""

    def __init__(self) -> None:
        """Start it; it ends with this process at the latest."""
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_PATIENCE_SECONDS)
        with theirs:
            command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )

    def order(self, arguments: list[str], environment: Mapping[str, str], folder: Path, streams: list[int]) -> int:
        """Order a command and wait for its end; give its status as ``os.wait`` does."""
        order = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
        said = json.dumps(order).encode() + b"\n"
        assert len(said) < _LONGEST_ORDER
        socket.send_fds(self._socket, [said[:1]], streams)
        self._socket.sendall(said[1:])
        answer = self._socket.recv(32)
        assert answer, "the process that forks is gone"
        return int(answer)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()


@cache
def _opened_parent() -> _Parent:
    parent = _Parent()
    atexit.register(parent.close)
    return parent


def _serve(orders: socket.socket) -> None:
    for room in sorted(set(COMMANDS.values())):
        import_module(f"retention.cli.{room}")
    _warm_up()
    gc.freeze()
    while True:
        said, streams, _, _ = socket.recv_fds(orders, 1, 3)
        if not said:
            return
        while not said.endswith(b"\n"):
            said += orders.recv(_LONGEST_ORDER)
        child = os.fork()
        if child == 0:
            orders.close()
            _work(json.loads(said), streams)
        for one in streams:
            os.close(one)
        orders.sendall(str(os.waitpid(child, 0)[1]).encode())


def _warm_up() -> None:
    """Run the commonest commands once, so that no child has to load or compile what most of them need."""
    from tests.kit import Office, row  # noqa: PLC0415  # which imports this file

    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        office = Office(Path(folder), f"sqlite:///{folder}/register.db")
        office.drop("a.csv", [row("message-1"), row("message-2", "2026-05-01 09:00:00")])
        where = ["--config", str(office.config), "--now", office.now.isoformat()]
        # What is wrong with a command is told by the tests of it.
        with suppress(Exception), redirect_stdout(nowhere), redirect_stderr(nowhere):
            for command in (["init", "--drill"], ["run"], ["status"], ["audit", "verify"]):
                retention.main([*command, *where], standalone_mode=False)


def _work(order: dict[str, object], streams: list[int]) -> NoReturn:
    code = 70
    try:
        for place, one in enumerate(streams):
            os.dup2(one, place)
            os.close(one)
        os.environ.clear()
        os.environ.update(order["environment"])  # type: ignore[call-overload]  # as the other end wrote it
        time.tzset()
        os.chdir(str(order["folder"]))
        sys.argv = ["retention", *order["arguments"]]  # type: ignore[misc]  # the same
        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
