from __future__ import annotations

import numpy as np
import pytest

from polylens.records import CodeLayer, Codes, CodeScheme
from polylens.statistics import (
    Blocks,
    CodeFrame,
    agreement_beyond,
    code_halves,
    distance_agreement,
    neighbour_agreement,
)
from polylens.streams import Streams


def _codes(bits: np.ndarray) -> Codes:
    scheme = CodeScheme((CodeLayer("one", bits.shape[1]),), names_polytopes=False, reason="made by hand")
    return Codes(np.packbits(bits, axis=1), scheme)


def _thermometer(place: np.ndarray, units: int = 40) -> Codes:
    return _codes(place[:, None] > np.linspace(0, 1, units)[None])


def _frame(example: np.ndarray, *, rows: int = 60) -> CodeFrame:
    return CodeFrame.of(
        Blocks.of(example),
        pairs=500,
        rows=rows,
        neighbours=5,
        permutations=20,
        resamples=20,
        streams=Streams(0),
    )


def test_codes_of_one_structure_agree_whatever_their_units_are() -> None:
    rng = np.random.default_rng(0)
    place, other = rng.random(60), rng.random(60)
    frame = _frame(np.arange(60))
    # Other units, in another order and of the other sign, tell the same distances.
    one = _thermometer(place)
    turned = _codes(~np.unpackbits(one.values, axis=1)[:, :40].astype(bool)[:, rng.permutation(40)])
    strange = _thermometer(other)

    def agreement(codes: Codes):
        moved = [frame.distances(codes, source) for source in frame.row_permutations()]
        return distance_agreement(frame, frame.distances(one), frame.distances(codes), moved)

    same, foreign = agreement(turned), agreement(strange)
    assert same.value == pytest.approx(1.0)
    assert same.low == pytest.approx(1.0)
    assert same.chance == pytest.approx(0.0, abs=0.1)
    assert same.chance_is == "mean of 20 permutations of examples"
    assert foreign.value == pytest.approx(foreign.chance, abs=0.15)
    near = neighbour_agreement(frame, frame.near(one, "one"), frame.near(turned, "other"))
    assert near.value > 0.75
    assert near.chance == pytest.approx(5 / 59, abs=0.05)
    beyond = agreement_beyond(
        frame, frame.distances(one), frame.distances(strange), frame.distances(turned), []
    )
    assert np.isnan(beyond.value)
    assert beyond.chance is None


def test_rows_of_one_example_are_no_pairs_and_no_neighbours() -> None:
    example = np.repeat(np.arange(20), 3)
    place = np.repeat(np.random.default_rng(0).random(20), 3)
    frame = _frame(example, rows=30)
    assert (example[frame.pairs.left] != example[frame.pairs.right]).all()
    # Whole examples are chosen.
    assert len(frame.chosen) == 30
    near = frame.near(_thermometer(place), "any")
    of = example[frame.chosen]
    assert not near[of[:, None] == of].any()


def test_two_halves_hold_every_unit_once() -> None:
    rng = np.random.default_rng(0)
    layers = (CodeLayer("one", 3), CodeLayer("two", 4, bits_per_unit=2))
    bits = rng.random((5, 3)) < 0.5, rng.random((5, 8)) < 0.5
    scheme = CodeScheme(layers, names_polytopes=False, reason="made by hand")
    codes = Codes(np.concatenate([np.packbits(part, axis=1) for part in bits], axis=1), scheme)
    split = code_halves(codes, np.random.default_rng(0))
    assert split is not None
    assert [layer.units for half in split for layer in half.scheme.layers] == [1, 2, 2, 2]
    ones = sum(int(np.unpackbits(half.values).sum()) for half in split)
    assert ones == int(np.unpackbits(codes.values).sum())
    assert code_halves(_codes(np.ones((4, 1), bool)), np.random.default_rng(0)) is None
