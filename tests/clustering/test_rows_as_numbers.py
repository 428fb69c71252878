from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from polylens.clustering import RowValues, bisecting_kmeans, kmeans, moving_centres, row_values, scale_points
from polylens.clustering.nearest_centres import BoundedNearest
from polylens.clustering.points import Scaling
from polylens.clustering.torch_centres import TorchNearest
from polylens.errors import DataError
from polylens.progress import Silent, Unseen
from polylens.records import CodeLayer, Codes, CodeScheme, Origins, Rows
from polylens.streams import Streams

WAYS = (kmeans, bisecting_kmeans)


def some_bits(rows: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(width)
    return (rng.random((7, width)) < 0.5)[rng.integers(0, 7, rows)] ^ (rng.random((rows, width)) < 0.2)


def signs(bits: np.ndarray) -> np.ndarray:
    return np.where(bits, np.float32(1), np.float32(-1))


def rows_with(**parts: object) -> Rows:
    (part,) = parts.values()
    count = len(part.values if isinstance(part, Codes) else part)
    origins = Origins(np.arange(count), np.zeros(count, np.int64), (), tuple(map(str, range(count))))
    return Rows("layer", origins, **parts)


def same(one: object, other: object) -> None:
    for field in ("labels", "strength", "exemplars"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("rows", "width"), [(60, 1), (300, 24), (5000, 13), (3000, 203)])
def test_packed_bits_end_as_their_signs_do_to_the_last_bit(way, rows, width):
    bits = some_bits(rows, width)
    asked = {"clusters": 2 if width == 1 else 6, "streams": Streams(0), "restarts": 2}
    found = way(RowValues(np.packbits(bits, axis=1), width), **asked)
    same(found, way(bits, **asked))
    expected = way(signs(bits), **asked)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.strength, expected.strength)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scale", ["none", "centre", "standardise"])
def test_chosen_rows_to_scale_end_as_a_scaled_copy_of_them_does(way, scale):
    values = np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32) * [1, 10, 100, 1000, 0] + 3
    chosen = np.flatnonzero(np.random.default_rng(1).random(500) < 0.8)
    given = row_values(rows_with(activations=values.astype(np.float32)), on="activation", scale=scale)
    asked = {"clusters": 4, "streams": Streams(0), "restarts": 2}
    same(way(given.take(chosen), **asked), way(scale_points(given.points, scale=scale)[chosen], **asked))


@settings(deadline=None)
@given(st.integers(1, 40).flatmap(lambda width: arrays(np.bool_, (9, width))), st.data())
def test_values_are_those_of_the_rows_that_are_asked_for(bits, data):
    rows = RowValues.of(bits)
    chosen = np.array(data.draw(st.lists(st.integers(0, 8), min_size=1)))
    some = rows.take(chosen)
    np.testing.assert_array_equal(some.values(slice(0, len(chosen))), signs(bits)[chosen])
    only = np.array(data.draw(st.lists(st.booleans(), min_size=9, max_size=9)))
    np.testing.assert_array_equal(rows.values(slice(0, 9), only=only)[only], signs(bits)[only])
    np.testing.assert_array_equal(rows.mean(), signs(bits).mean(0, dtype=np.float64))


def test_padding_between_layers_is_no_column():
    scheme = CodeScheme((CodeLayer("a", 3), CodeLayer("b", 2)), names_polytopes=False, reason="a test")
    packed = np.array([[0b10100000, 0b01000000], [0b01000000, 0b11000000]], np.uint8)
    found = row_values(rows_with(codes=Codes(packed, scheme)), on="code")
    assert found.values(slice(0, 2)).tolist() == [[1, -1, 1, -1, 1], [-1, 1, -1, 1, 1]]


@pytest.mark.parametrize("way", WAYS)
def test_codes_are_never_all_numbers_at_once(way, monkeypatch):
    monkeypatch.setattr(moving_centres, "_START_NUMBERS", 1 << 17)
    monkeypatch.setattr("polylens.clustering.rows_as_numbers._NUMBERS", 1 << 17)
    monkeypatch.setattr("polylens.clustering.blocks.cores", lambda: 1)
    rows = RowValues.of(some_bits(6_000, 2048))
    asked = {"clusters": 3, "streams": Streams(0), "restarts": 1, "exemplars": False}
    way(rows.take(np.arange(300)), **asked)
    tracemalloc.start()
    way(rows, **asked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12e6  # a quarter of the 49 MB that the numbers would be


def test_minus_zero_is_no_other_row_than_zero():
    rows = np.array([[0.0], [-0.0], [1.0]], dtype=np.float32)
    assert RowValues.of(rows).count_distinct(enough=5) == 2
    with pytest.raises(DataError, match="2 distinct rows cannot make 3 clusters"):
        kmeans(rows, clusters=3, streams=Streams(0))


def test_chosen_rows_are_counted_and_not_those_they_are_chosen_from():
    rows = RowValues.of(np.arange(10, dtype=np.float32)[:, None]).take(np.array([3, 3, 4]))
    with pytest.raises(DataError, match="3 rows are too few to cluster: 4 clusters are asked for"):
        kmeans(rows, clusters=4, streams=Streams(0))
    with pytest.raises(DataError, match="2 distinct rows cannot make 3 clusters"):
        kmeans(rows, clusters=3, streams=Streams(0))


@pytest.mark.parametrize("scale", ["none", "centre"])
def test_rows_without_a_finite_place_are_refused(scale):
    rows = np.array([[np.inf], [0], [1]], np.float32)
    given = row_values(rows_with(activations=rows), on="activation", scale="none")
    scaling = None if scale == "none" else Scaling(np.ones(1), np.ones(1))
    with pytest.raises(DataError, match="1 of 3 rows hold NaN or infinity"):
        kmeans(RowValues(given.points, 1, scaling), clusters=2, streams=Streams(0))


def test_torch_finds_the_centres_of_packed_bits():
    bits = some_bits(700, 45)
    rows = RowValues.of(bits)
    origin = rows.mean()
    centres = np.random.default_rng(0).normal(size=(5, 45))  # no two equally far from a row
    by_torch = TorchNearest(rows, origin=origin, device="cpu")
    bounded = BoundedNearest(rows, origin=origin)
    labels = bounded.find(centres, None, task=Unseen())
    np.testing.assert_array_equal(by_torch.find(centres, None, task=Unseen()), labels)
    np.testing.assert_allclose(
        by_torch.next_distances(centres, labels), bounded.next_distances(centres, labels), rtol=1e-9
    )


class _Watching(Silent):
    def __init__(self) -> None:
        self.done: dict[str, float] = {}

    def task(self, title, *, total, unit):
        watching = self

        class Counting(Unseen):
            def advance(self, amount: float = 1.0) -> None:
                watching.done[f"{title}, {unit}"] = watching.done.get(f"{title}, {unit}", 0) + amount

            def __enter__(self) -> Counting:
                return self

            def __exit__(self, *_: object) -> None:
                pass

        return Counting()


def test_the_rounds_of_a_start_show_themselves():
    watching = _Watching()
    kmeans(some_bits(900, 30), clusters=7, streams=Streams(0), restarts=2, progress=watching)
    assert watching.done["clustering, starts"] == 2
    # Rows first go to the centres that were drawn, which are none of the means: there is a second round.
    assert watching.done["start 1 of 2, rounds"] >= 2 - 1e-9
    assert round(watching.done["start 2 of 2, rounds"], 6).is_integer()
