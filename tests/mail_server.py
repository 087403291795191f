"""A real mail server, as a process of its own, on three ports: plain, STARTTLS and TLS; the last two ask for sign-in.

    python -m tests.mail_server FOLDER

writes ``cert.pem`` into the folder, says its ports as one line of JSON, and keeps each message that it takes as a file.
Recipients say how they are treated: ``refused@`` gets 550, ``later@`` makes it say 451, ``slow@`` never gets an answer.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

ROOT = Path(__file__).parents[1]
USER, PASSWORD = "retention", "pass word"


class Handler:
    """Keeps what comes in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = count(1)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: ANN401, N802  # aiosmtpd's
        if address.startswith("refused@"):
            return "550 there is no qzsecretvalue here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802  # aiosmtpd's
        if any(one.startswith("slow@") for one in envelope.rcpt_tos):
            await asyncio.sleep(3600)
        if any(one.startswith("later@") for one in envelope.rcpt_tos):
            return "451 come again, qzsecretvalue"
        place = self._folder / f"{next(self._number):04}"
        place.with_suffix(".to").write_text("\n".join(envelope.rcpt_tos))
        place.with_suffix(".part").write_bytes(envelope.content)
        place.with_suffix(".part").rename(place.with_suffix(".eml"))
        return "250 taken"


def _let_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:  # noqa: ANN401  # aiosmtpd's
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


def _certify(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of the tests")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def _serve(folder: Path) -> None:
    context, handler, loop = _certify(folder), Handler(folder), asyncio.get_running_loop()
    signed_in: dict[str, Any] = {"authenticator": _let_in, "auth_required": True}

    async def listen(tls: ssl.SSLContext | None = None, **how: Any) -> int:  # noqa: ANN401  # handed on
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="mail.test", loop=loop, **how), "127.0.0.1", 0, ssl=tls
        )
        port: int = server.sockets[0].getsockname()[1]
        return port

    ports = {
        "none": await listen(),
        "starttls": await listen(tls_context=context, require_starttls=True, **signed_in),
        "tls": await listen(context, auth_require_tls=False, **signed_in),
    }
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that runs: its folder, and its ports by the kind of security."""

    folder: Path
    ports: dict[str, int]

    @property
    def certificate(self) -> Path:
        """What it shows, and who must be trusted."""
        return self.folder / "cert.pem"

    def taken(self) -> list[EmailMessage]:
        """Give the messages that it took since the last time, as the library reads them."""
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw()]

    def raw(self) -> list[bytes]:
        """Give them as they came."""
        found = []
        for path in sorted(self.folder.glob("*.eml")):
            found.append(path.read_bytes())
            path.unlink()
        return found

    def table(self, name: str = "office", security: str = "none", **more: object) -> str:
        """Give the table of a channel by this server."""
        given: dict[str, object] = {
            "name": name,
            "kind": "mail",
            "host": "localhost",
            "port": self.ports[security],
            "security": security,
            "from": "retention@office.example",
            "to": ["dpo@office.example"],
            "timeout_seconds": 30.0,
        }
        if security != "none":
            given |= {"certificate": str(self.certificate), "user": USER}
        return table(**{**given, **more})


def table(**given: object) -> str:
    """Spell a table ``[[notify]]``; what is None is left out."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items() if value is not None]
    return "\n".join(["[[notify]]", *lines, ""])


@contextmanager
def running_mail_server(folder: Path) -> Iterator[MailServer]:
    """Run a server to the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.mail_server", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield MailServer(folder, json.loads(process.stdout.readline()))
        finally:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
