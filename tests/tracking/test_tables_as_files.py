"""Tables as Parquet and as previews."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.records import Number
from polylens.tracking.summary import numbers_table
from polylens.tracking.tables import parquet, preview


def read(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(content))


def test_parquet_keeps_values_types_and_bytes() -> None:
    table = pd.DataFrame(
        {
            "cluster": np.array([0, 1, -1], dtype=np.int64),
            "share": np.array([0.1, np.nan, 1 / 3]),
            "label": ["ünlike", "", 'a "quoted", text\n'],
            "strong": [True, False, True],
        }
    )
    assert parquet(table) == parquet(table.copy())
    pd.testing.assert_frame_equal(read(parquet(table)), table)


def test_columns_that_parquet_cannot_hold_become_text() -> None:
    table = pd.DataFrame({"mixed": [1, "two", None], 3: [1, 2, 3]}, dtype=object)
    kept = read(parquet(table))
    assert kept["mixed"].tolist()[:2] == ["1", "two"]
    assert kept.columns.tolist() == ["mixed", "3"]


def test_two_columns_of_one_name_are_kept() -> None:
    table = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert sorted(read(parquet(table)).iloc[0].tolist()) == [1, 2]


def test_an_empty_table_has_its_header() -> None:
    table = pd.DataFrame({"a": [], "b": []})
    assert preview(table, rows=10, n_bytes=1000) == (b"a,b\n", 0)
    assert read(parquet(table)).columns.tolist() == ["a", "b"]


def test_a_preview_is_whole_where_it_fits_and_reads_back() -> None:
    table = pd.DataFrame({"label": ["a,b", 'c "d"', "e\nf"], "n": [1, 2, 3]})
    content, n_rows = preview(table, rows=10, n_bytes=1000)
    assert n_rows == 3
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(content)), table)


@given(
    st.lists(st.text(st.characters(), max_size=60), max_size=40),
    st.integers(1, 50),
    st.integers(50, 2000),
)
@settings(max_examples=60, deadline=None)
def test_a_preview_never_exceeds_its_limits(cells: list[str], rows: int, n_bytes: int) -> None:
    table = pd.DataFrame({"label": pd.Series(cells, dtype=object)})
    content, n_rows = preview(table, rows=rows, n_bytes=n_bytes)
    assert len(content) < n_bytes
    assert n_rows <= min(rows, len(cells))
    content.decode("utf-8")


def test_one_enormous_cell_is_cut() -> None:
    content, n_rows = preview(pd.DataFrame({"text": ["x" * 5_000_000]}), rows=5, n_bytes=900_000)
    assert n_rows == 1
    assert len(content) < 2000


def test_the_table_of_numbers_says_what_metrics_cannot() -> None:
    numbers = {
        "quality/purity": Number(
            0.9, low=0.8, high=1.0, interval="90 %", chance=0.1, chance_is="shuffled labels"
        ),
        "clusters/count": Number(12.0, unit="clusters"),
    }
    table = numbers_table(numbers)
    assert table.columns.tolist() == [
        "name",
        "value",
        "low",
        "high",
        "range_is",
        "interval",
        "chance",
        "chance_is",
        "unit",
    ]
    assert table.loc[0, "chance_is"] == "shuffled labels"
    assert np.isnan(table.loc[1, "low"])
