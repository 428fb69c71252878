"""Kernels of little work run in Python, and as machine code where there is more: one result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.clustering.condensing import condense_tree
from polylens.clustering.density import hdbscan
from polylens.clustering.spanning_tree import hierarchy
from polylens.kernels import compiling, linkage


@contextmanager
def few(most: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_FEW", most)
        patch.setattr(compiling, "_MUCH", 10**12)
        yield


def everything(
    points: np.ndarray, metric: str, least: int, selection: Literal["eom", "leaf"], epsilon: float
) -> list[bytes]:
    of = hierarchy(points, metric=metric, min_samples=3)  # type: ignore[arg-type]
    found = hdbscan(
        points,
        metric=metric,  # type: ignore[arg-type]
        min_cluster_size=least,
        selection=selection,
        epsilon=epsilon,
        of=of,
    )
    tree = vars(condense_tree(of, min_cluster_size=least)).values()
    flat = (found.labels, found.strength, found.exemplars, found.persistence, found.lifetimes)
    return [np.asarray(item).tobytes() for item in (of.order, of.heights, *tree, *flat)]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(4, 70),
    width=st.integers(1, 12),
    grid=st.sampled_from([2, 5, 1000]),
    scale=st.sampled_from([1.0, 1e-18, 1e12]),
    metric=st.sampled_from(["euclidean", "hamming"]),
    least=st.integers(2, 6),
    selection=st.sampled_from(["eom", "leaf"]),
    epsilon=st.sampled_from([0.0, 0.4, 2.0]),
)
def test_python_and_machine_code_give_the_same_bytes(
    seed: int, rows: int, width: int, grid: int, scale: float, metric: str, **options: Any
) -> None:
    # A coarse grid makes many equal heights and exact duplicates.
    places = np.random.default_rng(seed).integers(0, grid, (rows, width))
    points = places % 2 == 1 if metric == "hamming" else (places * scale).astype(np.float32)
    with few(10**9):
        plain = everything(points, metric, **options)
    with few(-1):
        machine = everything(points, metric, **options)
    assert plain == machine


by_python: list[int] = []


def total(values: np.ndarray) -> float:
    by_python.append(len(values))
    return float(values.sum())


def test_little_work_is_done_by_machine_code_once_there_was_much_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiling, "_MUCH", 20)
    monkeypatch.setattr(compiling, "compiled", lambda _: lambda values: float(values.sum()))
    kernel = compiling.compiled_for_many(total)
    assert [kernel(np.ones(8)) for _ in range(9)] == [8.0] * 9
    assert kernel(np.ones(4000)) == 4000.0
    assert by_python == [8, 8, 8]


def test_little_work_is_never_compiled() -> None:
    ends = np.arange(5), np.arange(1, 6)
    with few(6):
        kernel = linkage.chain_groups.__closure__  # type: ignore[attr-defined]
        made = next(cell.cell_contents for cell in kernel if hasattr(cell.cell_contents, "signatures"))
        before = list(made.signatures)
        odd = np.ones(5, dtype=np.float32)  # a type that nobody else asks for
        assert linkage.chain_groups(*ends, odd, np.empty(6, np.int64), np.empty(5))
    assert made.signatures == before
