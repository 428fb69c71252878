"""Tables as Parquet: columns keep their order and types, and equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    import pandas as pd

_ENDING = ".parquet"


def save_table(path: Path, table: pd.DataFrame) -> None:
    """Writes one table.

    Raises:
        TypeError: a column's name is not a string, or a column mixes types that Parquet cannot hold.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    unnamed = [column for column in table.columns if not isinstance(column, str)]
    if unnamed:
        raise TypeError(f"columns need names that are strings, got {unnamed}")
    try:
        content = arrow.Table.from_pandas(table)
    except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
        raise TypeError(f"a column cannot be written as Parquet: {error}") from error
    dtypes = "\n".join(str(dtype) for dtype in table.dtypes).encode()
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), b"polylens.dtypes": dtypes})
    parquet.write_table(content, path, compression="zstd")


def load_table(path: Path) -> pd.DataFrame:
    """What `save_table` wrote."""
    import pyarrow.parquet as parquet

    # Through a file object: Arrow's own reader would take a path with '=' for a partitioned data set.
    with path.open("rb") as stream:
        content = parquet.read_table(stream)
    table = cast("pd.DataFrame", content.to_pandas())
    dtypes = content.schema.metadata[b"polylens.dtypes"].decode().split("\n")
    for column, dtype in zip(table.columns, dtypes, strict=False):
        # Arrow cannot tell an object column of strings from pandas' string type.
        if dtype == "object" and table[column].dtype != object:
            table[column] = table[column].astype(object)
    return table


def save_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Writes a map of tables into `folder/tables/`; gives their names in order."""
    if tables:
        (folder / "tables").mkdir()
    for name, table in tables.items():
        save_table(folder / "tables" / f"{quote(name, safe=' ')}{_ENDING}", table)
    return list(tables)


class StoredTables(Mapping[str, "pd.DataFrame"]):
    """Tables on disk, each read when it is asked for: most readers of a stage only want its numbers."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        paths = {
            unquote(path.name.removesuffix(_ENDING)): path for path in (folder / "tables").glob(f"*{_ENDING}")
        }
        self._paths = {name: paths[name] for name in names}

    def __getitem__(self, name: str) -> pd.DataFrame:
        return load_table(self._paths[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def load_tables(folder: Path, names: Sequence[str]) -> StoredTables:
    """The tables that `save_tables` wrote, in the order of `names`."""
    return StoredTables(folder, names)
