from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.bits import differing_bits, distances, layer_distances
from polylens.records import CodeLayer, CodeScheme

SCHEME = CodeScheme(
    (
        CodeLayer("relu", units=11),
        CodeLayer("relu6", units=3, bits_per_unit=2),
        CodeLayer("pool", units=2, bits_per_unit=4, kind="winner"),
    ),
    names_polytopes=False,
    reason="",
)


def random_codes(rng: np.random.Generator, rows: int, n_bytes: int) -> np.ndarray:
    return rng.integers(0, 256, size=(rows, n_bytes), dtype=np.uint8)


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_differing_bits_are_counted_as_bit_by_bit(rows: int, n_bytes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_codes(rng, rows, n_bytes), random_codes(rng, rows, n_bytes)
    pairs = zip(a, b, strict=True)
    brute = [sum((int(x) ^ int(y)).bit_count() for x, y in zip(*pair, strict=True)) for pair in pairs]
    counted = differing_bits(a, b)
    assert counted.dtype == np.int64
    assert counted.tolist() == brute


def test_chunks_do_not_change_the_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = random_codes(rng, 100, 24), random_codes(rng, 100, 24)
    whole = differing_bits(a, b)
    monkeypatch.setattr(distances, "_CHUNK_BYTES", 100)
    np.testing.assert_array_equal(differing_bits(a, b), whole)


@pytest.mark.usefixtures("unchecked_shapes")
def test_pairs_of_unequal_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        differing_bits(np.zeros((2, 3), np.uint8), np.zeros((3, 3), np.uint8))


def test_a_layers_distance_is_the_share_of_its_units_in_another_regime() -> None:
    # relu: 2 of 11 units flip. relu6: one unit crosses one of its two kinks, 1 of 6 bits. pool: one of two
    # windows has another winner, which changes 2 bits of the one-hot code: 2 of 2 * 2.
    a = np.zeros((1, 4), np.uint8)
    b = np.zeros((1, 4), np.uint8)
    b[0, 0], b[0, 1] = 0b10000000, 0b00100000
    b[0, 2] = 0b10000000
    a[0, 3], b[0, 3] = 0b10001000, 0b01001000
    np.testing.assert_allclose(layer_distances(a, b, SCHEME), [[2 / 11, 1 / 6, 1 / 2]])


def test_rows_of_another_scheme_are_refused() -> None:
    with pytest.raises(ValueError, match="scheme of 4 bytes"):
        layer_distances(np.zeros((1, 5), np.uint8), np.zeros((1, 5), np.uint8), SCHEME)
