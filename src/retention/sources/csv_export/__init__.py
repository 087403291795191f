"""Exports of one message a row: CSV files, plain, gzipped or in a zip archive, that land in a folder."""

from __future__ import annotations

from retention.sources.csv_export.archives import SUFFIXES
from retention.sources.csv_export.format import FIELDS, ColumnMatch, CsvFormat
from retention.sources.csv_export.presets import PRESETS, matches_by_words
from retention.sources.csv_export.source import CsvExport

__all__ = ["FIELDS", "PRESETS", "SUFFIXES", "ColumnMatch", "CsvExport", "CsvFormat", "matches_by_words"]
