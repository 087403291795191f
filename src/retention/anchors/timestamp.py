"""A timestamp authority (RFC 3161): a token that says when the three lines of a checkpoint existed.

The token is over the text of the checkpoint, without the empty line and the signatures, and verifies with openssl too:
see VERIFY.md in every bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.x509 import load_pem_x509_certificates

from retention.anchors.http import post
from retention.errors import AnchorError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate

    from retention.anchors.interface import Kind, Outgoing

_OK = 200


class TimestampAnchor:
    """Asks an authority at a URL; ``certificate`` is a PEM file of the root certificates that are trusted."""

    kind: Kind = "timestamp"

    def __init__(self, name: str, url: str, certificate: Path, *, required: bool, timeout: float) -> None:
        """Remember where to ask."""
        self.name, self.place, self.required = name, url, required
        self._certificate, self._timeout = certificate, timeout

    def trusted(self) -> list[Certificate]:
        """Read the certificates that a token must lead to.

        Raises:
            AnchorError: the file cannot be read or holds none.

        """
        try:
            return load_pem_x509_certificates(self._certificate.read_bytes())
        except OSError as error:
            reason = error.strerror or "no such file"
        except ValueError:
            reason = "it holds no certificate in PEM"
        msg = f"anchor {self.name}: {self._certificate} cannot be used ({reason})"
        raise AnchorError(msg)

    def inspect(self) -> None:
        """Look whether the certificates can be read.

        Raises:
            AnchorError: they cannot.

        """
        self.trusted()

    def publish(self, out: Outgoing) -> bytes:
        """Get a token over the text of a checkpoint; give the authority's whole answer (DER).

        Raises:
            AnchorError: the authority cannot be reached or refuses, or its token does not verify.

        """
        try:
            from rfc3161_client import (  # noqa: PLC0415  # an extra, and only this anchor needs it
                HashAlgorithm,
                TimestampRequestBuilder,
                VerificationError,
                VerifierBuilder,
                decode_timestamp_response,
            )
        except ImportError:
            msg = f"anchor {self.name}: timestamps need another package; install retention-enforcer[timestamp]"
            raise AnchorError(msg) from None
        roots, text = self.trusted(), out.text.encode()
        request = TimestampRequestBuilder(data=text, hash_algorithm=HashAlgorithm.SHA256).build()
        answer = post(
            f"anchor {self.name}", self.place, request.as_bytes(), "application/timestamp-query", self._timeout
        )
        if answer.status != _OK:
            msg = f"anchor {self.name}: {self.place} answered HTTP {answer.status}"
            raise AnchorError(msg)
        try:
            builder = VerifierBuilder.from_request(request)
            for root in roots:
                builder = builder.add_root_certificate(root)
            builder.build().verify_message(decode_timestamp_response(answer.body), text)
        except (VerificationError, ValueError) as error:
            msg = f"anchor {self.name}: the token that {self.place} gave does not verify ({type(error).__name__})"
            raise AnchorError(msg) from None
        return answer.body
