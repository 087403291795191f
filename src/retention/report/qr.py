"""A signed checkpoint as a QR code, so that paper carries what a later log must agree with."""

from __future__ import annotations

from io import BytesIO

import segno

_QUIET_ZONE = 4


def qr_svg(note: str) -> str:
    """Draw a signed checkpoint as an SVG element that fills its place; signatures of witnesses are left out."""
    buffer = BytesIO()
    code = segno.make_qr(own_part(note).encode(), error="m", boost_error=False)
    code.save(buffer, kind="svg", xmldecl=False, omitsize=True, border=_QUIET_ZONE, light="#ffffff", nl=False)
    return buffer.getvalue().decode("ascii")


def own_part(note: str) -> str:
    """Give a signed checkpoint with the log's own signatures alone; that bounds what the code must hold."""
    text, _, signatures = note.partition("\n\n")
    own = f"\u2014 {text.partition(chr(10))[0]} "
    kept = [line for line in signatures.splitlines() if line.startswith(own)]
    return "\n".join([text, "", *kept, ""])
