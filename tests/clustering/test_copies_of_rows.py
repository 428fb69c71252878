"""Copies of a row count as neighbours and are measured once: the tree is that of all rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.clustering import copies as module
from polylens.clustering import hierarchy
from polylens.clustering.copies import Copies
from polylens.records import Hierarchy


def tree(points: np.ndarray, *, worth: float, **options: Any) -> Hierarchy:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WORTH", worth)
        return hierarchy(points, **options)


def same_to_the_last_bit(one: Hierarchy, other: Hierarchy) -> bool:
    parts = [(each.order, each.heights, each.core) for each in (one, other)]
    return all(np.array_equal(left, right) for left, right in zip(*parts, strict=True))


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 90),
    kinds=st.integers(1, 30),
    width=st.integers(1, 9),
    metric=st.sampled_from(["euclidean", "cosine", "l1", "hamming", "jaccard"]),
    min_samples=st.integers(1, 25),
)
def test_the_tree_is_that_of_a_pass_over_all_rows(
    seed: int, rows: int, kinds: int, width: int, metric: Any, min_samples: int
) -> None:
    generator = np.random.default_rng(seed)
    made = generator.integers(-2, 3, (kinds, width)) * 0.3
    drawn = made[generator.integers(0, kinds, rows)]
    points = drawn > 0 if metric in ("hamming", "jaccard") else drawn.astype(np.float32)
    options = {"metric": metric, "min_samples": min(min_samples, rows)}
    plain, found = (tree(points, worth=worth, **options) for worth in (-1.0, 1.0))
    assert same_to_the_last_bit(plain, found)


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_few_kinds_among_many_rows_are_a_small_tree(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    made = generator.normal(size=(40, 20)).astype(np.float32)
    points = made[generator.integers(0, 40, 6000)]
    if device == "torch":
        from polylens.clustering import spanning_tree
        from polylens.clustering.torch_passes import TorchPasses

        monkeypatch.setattr(
            spanning_tree,
            "passes_of",
            lambda points, *, metric, bits, device: TorchPasses(
                points, metric=metric, bits=bits, device="cpu"
            ),
        )
    asked: list[int] = []
    distinct = Copies.distinct
    monkeypatch.setattr(
        Copies, "distinct", lambda self, points: (asked.append(len(self.first)), distinct(self, points))[1]
    )
    found = hierarchy(points, metric="euclidean", min_samples=5)
    assert asked == [40]
    assert (found.core == 0).all()
    assert (found.heights > 0).sum() == 39


def test_rows_that_are_all_equal_have_a_tree_of_zeros() -> None:
    points = np.full((3000, 4), 2.5, dtype=np.float32)
    found = hierarchy(points, metric="euclidean", min_samples=5)
    assert sorted(found.order.tolist()) == list(range(3000))
    assert not found.heights.any()
    assert not found.core.any()


def test_a_row_is_a_copy_where_bytes_are_equal_and_not_where_digests_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = np.array([[0.0], [1.0], [0.0], [0.0], [1.0], [0.0]], dtype=np.float32)
    assert Copies.of(points).of_row.tolist() == [0, 1, 0, 0, 1, 0]

    class Dull:
        def digest(self) -> bytes:
            return bytes(8)

    monkeypatch.setattr(hashlib, "blake2b", lambda _, digest_size: Dull())
    assert Copies.of(points).of_row.tolist() == [0, 1, 2, 3, 4, 5]


def test_where_few_rows_are_copies_nothing_is_taken_out() -> None:
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    points[7] = points[3]
    copies = Copies.of(points)
    assert copies.distinct(points) is points
    assert copies.counts.tolist() == [1] * 20


def test_what_an_earlier_version_kept_of_all_rows_is_not_taken_for_that_of_distinct_ones() -> None:
    generator = np.random.default_rng(1)
    points = generator.integers(0, 3, (200, 4)).astype(np.float32)

    class Kept(dict[str, Any]):
        def load(self, name: str) -> Any:
            return self.get(name)

        def save(self, name: str, arrays: Any) -> None:
            self[name] = {key: np.copy(value) for key, value in arrays.items()}

    kept = Kept()
    plain = tree(points, worth=-1.0, metric="euclidean", keeper=kept)
    before = dict(kept)
    found = tree(points, worth=1.0, metric="euclidean", keeper=kept)
    assert same_to_the_last_bit(plain, found)
    assert not before or len(before["groups"]["core"]) == 200
