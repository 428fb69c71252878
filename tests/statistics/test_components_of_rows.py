from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from polylens import imports
from polylens.errors import DataError
from polylens.statistics import (
    column_variances,
    explained_variance,
    independent_components,
    nonnegative_components,
    principal_components,
    random_directions,
    sparse_features,
)
from polylens.streams import Streams


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(n: int = 200, width: int = 6, rank: int = 3) -> np.ndarray:
    return (rng().normal(size=(n, rank)) @ rng(1).normal(size=(rank, width))).astype(np.float32)


@pytest.mark.parametrize("find", [principal_components, independent_components])
def test_as_many_components_as_rows_have_dimensions_restore_them(find):
    values = rows()
    found = find(values, count=6, generator=rng())
    # Rows span three dimensions: the other three components would be rounding.
    assert found.directions.shape == (3, 6)
    restored = found.restore(found.scores(values))
    assert explained_variance(values, restored, centre=values.mean(0)) == pytest.approx(1, abs=1e-4)


def test_principal_components_are_the_eigenvectors_of_the_covariance():
    values = rows(rank=6)
    found = principal_components(values, count=2, generator=rng())
    vectors = np.linalg.eigh(np.cov(values.T))[1][:, ::-1][:, :2].T
    assert np.abs((found.directions * vectors).sum(1)) == pytest.approx([1, 1], abs=1e-4)
    assert np.diff(found.scores(values).var(0)) < 0


def test_independent_components_find_what_was_mixed():
    sources = rng().uniform(-1, 1, size=(2000, 2))
    mixed = (sources @ [[1.0, 0.5], [0.3, 1.0]]).astype(np.float32)
    scores = independent_components(mixed, count=2, generator=rng()).scores(mixed)
    similar = np.abs(np.corrcoef(scores.T, sources.T)[:2, 2:])
    assert similar.max(0) == pytest.approx([1, 1], abs=0.01)
    assert scores.var(0) == pytest.approx([1, 1], abs=0.01)


def test_nonnegative_components_take_negative_rows_apart_and_say_so():
    parts = rng().random((100, 2)).astype(np.float32)
    exact = parts @ np.array([[1, 0, 2], [0, 1, 1]], np.float32)
    found = nonnegative_components(exact, count=2, generator=rng())
    assert not found.notes
    assert explained_variance(exact, found.restore(found.scores(exact)), centre=exact.mean(0)) > 0.98
    signed = exact * [1, -1, 1]
    apart = nonnegative_components(signed.astype(np.float32), count=2, generator=rng())
    assert "negative" in apart.notes[0]
    restored = apart.restore(apart.scores(signed.astype(np.float32)))
    assert (
        explained_variance(signed.astype(np.float32), restored, centre=signed.mean(0, dtype=np.float32))
        > 0.98
    )


def test_rows_that_are_all_equal_have_no_principal_component():
    same = np.ones((5, 3), np.float32)
    for find in (principal_components, independent_components):
        assert find(same, count=2, generator=rng()).scores(same).shape == (5, 0)
    assert explained_variance(same, same, centre=same[0]) is None


def test_random_directions_have_length_one_and_depend_on_the_generator_alone():
    values = rows()
    one, same, other = (random_directions(values, count=4, generator=rng(seed)) for seed in (0, 0, 1))
    assert np.linalg.norm(one.directions, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert np.array_equal(one.directions, same.directions)
    assert not np.array_equal(one.directions, other.directions)


def test_a_sparse_autoencoder_finds_the_directions_that_rows_are_sparse_sums_of():
    try:
        imports.sparsify()
    except ImportError:
        pytest.skip("pip install 'polylens[sae]'")
    truth = np.linalg.qr(rng().normal(size=(12, 12)))[0][:6]
    active = rng(1).random((600, 6)) < 0.2
    values = ((active * rng(2).uniform(1, 2, active.shape)) @ truth).astype(np.float32)
    options = {"features": 24, "active": 3, "batch": 64, "steps": 300}
    found = sparse_features(values, **options, streams=Streams(0))
    assert found.unexplained < 0.1
    directions = found.components.directions
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    alive = found.variance > 0
    assert np.abs((directions / lengths)[alive] @ truth.T).max(0).min() > 0.8
    again = sparse_features(values, **options, streams=Streams(0))
    assert np.array_equal(directions, again.components.directions)


def test_without_its_library_a_sparse_autoencoder_says_how_to_install_it(monkeypatch):
    def missing():
        raise ImportError

    monkeypatch.setattr(imports, "sparsify", missing)
    with pytest.raises(DataError, match=r"polylens\[sae\]"):
        sparse_features(rows(), features=8, active=2, steps=1, batch=4, streams=Streams(0))


def test_variances_of_columns_are_taken_without_a_copy_of_all_rows(monkeypatch):
    monkeypatch.setattr("polylens.records.rows._PIECE", 1 << 16)
    values = rng().normal(5, 2, size=(4000, 50)).astype(np.float32)
    tracemalloc.start()
    found = column_variances(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == pytest.approx(values.var(0, dtype=np.float64), rel=1e-12)
    assert peak < values.nbytes / 2
