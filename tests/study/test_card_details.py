"""What opened cards show: nearest clusters, codes of medoids, and the clusters of controls."""

from __future__ import annotations

import numpy as np

from polylens.records import ClusterLabel, CodeLayer, Codes, CodeScheme, Labels, Origins, Partition, Rows
from polylens.study.card_details import codes_of, nearest_of, scores_of_clusters

LAYERS = (CodeLayer("first", units=3), CodeLayer("second", units=9))
BITS = np.array([[1, 0, 0] + [1] * 9, [1, 1, 1] + [0] * 9, [1, 0, 0] + [1] * 8 + [0]], np.uint8)


def partition(*, space: str = "activation", persistence: list[float] | None = None) -> Partition:
    return Partition(
        labels=np.array([0, 1, 2]),
        strength=np.ones(3, np.float32),
        exemplars=np.array([0, 1, 2]),
        space=space,
        persistence=None if persistence is None else np.array(persistence),
    )


def rows(*, codes: Codes | None = None) -> Rows:
    ids = ("a", "b", "c")
    return Rows(
        layer="1",
        origins=Origins(np.arange(3), np.zeros(3, np.int64), (), ids),
        activations=np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], np.float32),
        codes=codes,
    )


def hard() -> Codes:
    packed = np.concatenate([np.packbits(BITS[:, :3], axis=1), np.packbits(BITS[:, 3:], axis=1)], axis=1)
    return Codes(packed, CodeScheme(LAYERS, names_polytopes=False, reason="a test"))


def test_nearest_clusters_are_those_whose_medoids_are_nearest() -> None:
    name, nearest = nearest_of(partition(), rows())
    assert name == "Euclidean distance"
    # (0, 0) to (0, 1) is 1, to (3, 4) is 5; (3, 4) to (0, 1) is the root of 18.
    assert [(each.number, round(each.distance, 2)) for each in nearest[0]] == [(2, 1.0), (1, 5.0)]
    assert [(each.number, round(each.distance, 2)) for each in nearest[1]] == [(2, 4.24), (0, 5.0)]


def test_medoids_of_code_clusters_are_as_far_apart_as_bits_differ() -> None:
    name, nearest = nearest_of(partition(space="code"), rows(codes=hard()))
    assert name == "bits that differ"
    assert [(each.number, each.distance) for each in nearest[0]] == [(2, 1.0), (1, 11.0)]


def test_a_code_is_a_line_without_padding_and_its_bits_are_counted_by_layer() -> None:
    first, second, _ = codes_of(np.array([0, 1, 2]), hard())
    assert first.levels == bytes(255 * BITS[0])
    assert first.in_words == "10 of 12 bits on: first 1 of 3 bits on, second 9 of 9 bits on"
    assert second.in_words.startswith("3 of 12 bits on")


def test_a_long_code_is_drawn_by_the_mean_of_a_few_bits() -> None:
    bits = np.array([[1, 1, 0, 0] * 150], np.uint8)
    scheme = CodeScheme((CodeLayer("1", units=600),), names_polytopes=False, reason="a test")
    (code,) = codes_of(np.array([0]), Codes(np.packbits(bits, axis=1), scheme))
    # Three bits a column: 110, 011, 001, 100, and so on.
    assert list(code.levels[:4]) == [170, 170, 85, 85]
    assert len(code.levels) == 200


def test_graded_codes_are_drawn_as_they_are_open() -> None:
    scheme = CodeScheme((CodeLayer("1", units=3, kind="gate"),), names_polytopes=False, reason="a test")
    (code,) = codes_of(np.array([0]), Codes(np.array([[0.0, 1.0, 0.5]], np.float32), scheme))
    assert list(code.levels) == [0, 255, 128]
    assert code.in_words == "mean 0.50 of 3 units"


def test_clusters_of_all_draws_of_a_control_stand_together() -> None:
    label = ClusterLabel(0, "a", 5, share=0.5, lift=2.0, chance_lift=1.0, p_value=0.5, above_chance=False)
    draws = [(partition(persistence=[0.1, 0.2, 0.3]), Labels((label,))), (partition(), Labels(()))]
    assert scores_of_clusters(draws) == {"share": (0.5,), "lift": (2.0,), "persistence": (0.1, 0.2, 0.3)}
    assert scores_of_clusters([(partition(), None)]) == {}, "it has no such score, which is not no clusters"
