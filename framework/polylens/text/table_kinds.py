"""Which kind of table a file is, by its ending."""

from __future__ import annotations

from pathlib import Path

from polylens.errors import DataError
from polylens.text.csv_table import CsvTable
from polylens.text.json_lines_table import JsonLinesTable
from polylens.text.parquet_table import ParquetTable
from polylens.text.table_files import Reading, TableFile

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".lz4", ".zip", ".7z")
_OTHERS = {
    ".feather": "pandas.read_feather(...).to_parquet(...)",
    ".arrow": "pandas.read_feather(...).to_parquet(...)",
    ".json": "pandas.read_json(...).to_parquet(...)",
    ".xlsx": "pandas.read_excel(...).to_parquet(...)",
    ".txt": "'kind: text_files' reads files of plain text",
}
"""What becomes a table that is read, or what reads it, for endings that a table may have."""


def why_no_table(path: Path) -> str:
    """Why a file is not read as a table; empty where its ending is that of one."""
    ending = path.suffix.lower()
    if ending in ENDINGS:
        return ""
    if ending in _PACKED:
        return f"packed ({ending}): unpack it first"
    return f"no ending of a table that is read ({' '.join(ENDINGS)})"


def open_table(path: Path, *, reading: Reading) -> TableFile:
    """The rows of a file.

    Raises:
        DataError: the ending is unknown, the file is damaged, or has no such column of text.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        return ParquetTable(path, column=reading.column)
    if ending in (".csv", ".tsv"):
        return CsvTable(path, reading=reading, delimiter="\t" if ending == ".tsv" else ",")
    if ending in (".jsonl", ".ndjson"):
        return JsonLinesTable(path, reading=reading)
    raise DataError(f"{path} is no table that can be read: {why_no_table(path)}", hint=_OTHERS.get(ending))
