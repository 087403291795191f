"""A disposal record as PDF, set by Typst with the fonts that it brings, so that the same page is the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typst

from retention.errors import RetentionError
from retention.report.record_page import page_of

if TYPE_CHECKING:
    from retention.report.record import Record

_TEMPLATE = Path(__file__).with_name("record.typ")


def record_as_pdf(record: Record) -> bytes:
    """Set a record as a tagged PDF; its dates are the run's.

    Raises:
        RetentionError: Typst refused the page.

    """
    page = json.dumps(asdict(page_of(record)), ensure_ascii=True)
    try:
        return typst.compile(
            _TEMPLATE.read_bytes(),
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"page": page},
            pdf_standards="ua-1",
            timestamp=record.run.started_at,
        )
    except RuntimeError:  # its message may quote the page
        msg = "the PDF cannot be set; take the record as --html or --json"
        raise RetentionError(msg) from None
