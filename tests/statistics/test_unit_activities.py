from __future__ import annotations

import numpy as np

from polylens.records import CodeLayer, Codes, CodeScheme
from polylens.statistics import distinct_codes, layer_activities, metric_name


def _codes(*layers: np.ndarray) -> Codes:
    scheme = CodeScheme(
        tuple(CodeLayer(f"layer.{index}", bits.shape[1]) for index, bits in enumerate(layers)),
        names_polytopes=False,
        reason="a test",
    )
    return Codes(np.concatenate([np.packbits(bits, axis=1) for bits in layers], axis=1), scheme)


def test_bits_are_counted_layer_by_layer_without_their_padding():
    first = np.array([[1, 0, 1], [1, 0, 0]], dtype=bool)
    second = np.zeros((2, 9), dtype=bool)
    one, other = layer_activities(_codes(first, second))
    assert one.ones.tolist() == [2, 0, 1]
    assert (one.active_fraction, one.always_on_fraction, one.always_off_fraction) == (0.5, 1 / 3, 1 / 3)
    assert (other.active_fraction, other.always_off_fraction) == (0.0, 1.0)


def test_distinct_codes_are_counted():
    bits = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], dtype=bool)
    assert distinct_codes(_codes(bits)) == 3


def test_metric_names_hold_only_what_every_tracker_takes():
    assert metric_name("matched_ratio", "stage[2].relu@x") == "matched_ratio.stage_2_.relu_x"
