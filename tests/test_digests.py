"""Digests change exactly when contents do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from polylens.digests import digest, file_sha256, file_stamp

plain = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.text()
    | some.floats(allow_nan=False, allow_infinity=False),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_digest_of_a_value_never_changes() -> None:
    # Every stored stage is named by it.
    assert digest({"seed": 0, "hidden": [64, 64], "about": "é"}) == "c144ea501fef69819e89fd77c6fd3136"


@given(some.dictionaries(some.text(), plain, max_size=4))
def test_the_order_of_keys_does_not_count(value: dict[str, Any]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, 1.0),
        (0, False),
        (None, "null"),
        ([1, 2], [2, 1]),
        ({}, []),
        ({"a": None}, {}),
        ("é", "e\u0301"),
    ],
)
def test_values_that_look_alike_differ(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


def test_tuples_count_as_lists() -> None:
    assert digest((1, (2,))) == digest([1, [2]])


@pytest.mark.parametrize("value", [{1, 2}, object(), Path("a"), b"bytes"])
def test_what_is_not_plain_data_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        digest({"inside": [value]})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digest([value])


def test_a_file_has_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "abc") == known


def test_a_file_that_is_put_back_with_its_old_size_and_time_has_another_stamp(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    assert file_stamp(file) == "missing"
    file.write_bytes(b"first")
    before, status = file_stamp(file), file.stat()
    assert file_stamp(file) == before
    # The system's clock for files goes in steps: one more until the time is another.
    while file.stat().st_ctime_ns == status.st_ctime_ns:
        file.write_bytes(b"later")
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert file_stamp(file) != before
