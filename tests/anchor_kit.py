"""Real places for checkpoints, on this machine: a timestamp authority by openssl, a witness, a host that misbehaves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPENSSL = shutil.which("openssl")
_MADE = datetime(2020, 1, 1, tzinfo=UTC)
_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Host:
    """A loopback host: ``answer`` is asked what to answer to a body, ``asked`` holds path and body of each request."""

    answer: Callable[[bytes], tuple[int, dict[str, str], bytes]]
    url: str = ""
    asked: list[tuple[str, bytes]] = field(default_factory=list)


@contextmanager
def host(answer: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[Host]:
    """Serve until the end of the block."""
    serving = Host(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            serving.asked.append((self.path, body))
            status, headers, data = serving.answer(body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        server.shutdown()
        thread.join()


class Authority:
    """A timestamp authority: a root, a certificate for timestamps under it, and ``openssl ts`` that answers."""

    def __init__(self, folder: Path) -> None:
        """Make the keys."""
        folder.mkdir()
        self._folder = folder
        self.root = folder / "ca.pem"
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name, name = _name("Test Root"), _name("Test Timestamps")
        basics = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        root = (
            _certificate(root_name, root_name, root_key)
            .add_extension(basics, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        stamp = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        own = (
            _certificate(name, root_name, key)
            .add_extension(stamp, critical=True)
            .add_extension(by, critical=False)
            .sign(root_key, hashes.SHA256())
        )
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))

    def answer(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer a request with a token."""
        query, reply = self._folder / "query", self._folder / "reply"
        query.write_bytes(body)
        assert OPENSSL
        command = [OPENSSL, "ts", "-reply", "-config", str(self._folder / "tsa.cnf")]
        command += ["-queryfile", str(query), "-out", str(reply)]
        subprocess.run(command, check=True, capture_output=True)
        return 200, {"Content-Type": "application/timestamp-reply"}, reply.read_bytes()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_MADE)
        .not_valid_after(_MADE + timedelta(days=365 * 100))
    )


@dataclass(frozen=True)
class RunningWitness:
    """A witness that serves: where, and the key that it signs with."""

    url: str
    key: str


@contextmanager
def witness(folder: Path, origin: str, key: str) -> Iterator[RunningWitness]:
    """Run a witness for one log as a process of its own; it was written elsewhere (PyPI: aics-witness)."""
    folder.mkdir(exist_ok=True)
    tool = [str(Path(sys.executable).with_name("aics-witness"))]
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "AICS_WITNESS_CONFIG": str(folder / "witness.json")}
    made = subprocess.run(
        [*tool, "init", "--name", "witness.example/w1", "--listen", listen],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    known = [*tool, "add-log", "--origin", origin, "--vkey", key]
    subprocess.run(known, env=environment, capture_output=True, check=True)
    with subprocess.Popen([*tool, "serve"], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = iter(process.stderr.readline, "")
            assert any("listening on" in line for line in said)
            yield RunningWitness(f"http://{listen}", made.stdout.strip())
        finally:
            process.kill()  # a SIGTERM that comes between its first word and its loop is lost
            process.communicate()
