"""What is written reads to the same values, here and in a YAML 1.1 reader."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from polylens.reading import read, write

_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"),
    max_size=20,
)
_TRICKY = st.sampled_from(
    [
        "no",
        "on",
        "1e-4",
        "010",
        "0x1f",
        "1:30",
        "null",
        "~",
        "",
        " a ",
        "a: b",
        "# c",
        "- d",
        "5.",
        ".5",
        "0o7",
        "=",
        "<<",
    ]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS
    | _TRICKY
)
_KEYS = (_TEXTS | _TRICKY).filter(bool)
_PLAIN: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _PLAIN, min_size=1, max_size=5))
def test_written_data_reads_back_unchanged(plain: dict[str, Any]) -> None:
    assert read(write(plain), file="written.yaml").value == plain


@given(st.dictionaries(st.sampled_from(["a", "b"]), _SCALARS, min_size=1))
def test_written_values_mean_the_same_to_a_yaml_1_1_reader(plain: dict[str, Any]) -> None:
    assert yaml.safe_load(write(plain)) == plain


def test_the_same_list_twice_is_written_out_twice() -> None:
    shared = [1, 2]
    assert write({"a": shared, "b": shared}) == "a: [1, 2]\nb: [1, 2]\n"


def test_the_outermost_map_is_written_key_by_key() -> None:
    assert write({"kind": "hdbscan", "on": "code"}) == "kind: hdbscan\non: code\n"
