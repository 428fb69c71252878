from __future__ import annotations

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.pair_density import PairDensity
from polylens.errors import DataError


def _line(make_rows, *, jump: int, n: int = 60, seed: int = 0):
    """Points on a line, a bit flipping at every 0.05; between the two classes `jump` more flip at 0.5."""
    rng = np.random.default_rng(seed)
    place = np.sort(rng.random(n))
    ordinary = place[:, None] > np.arange(0.05, 1, 0.05)[None]
    between = np.repeat(place[:, None] > 0.5, max(jump, 1), axis=1) if jump else np.zeros((n, 1), bool)
    return make_rows(
        place[:, None],
        bits={"even": ordinary, "between": between},
        targets=(place > 0.5).astype(np.int64),
    )


def test_boundaries_between_classes_raise_the_matched_ratio_of_their_layer_only(make_rows, find):
    found = find(PairDensity(pairs=800, resamples=40), _line(make_rows, jump=0)).numbers
    assert found["matched_ratio"].value == pytest.approx(1.0, abs=0.1)
    assert "matched_ratio.between" not in found
    more = find(PairDensity(pairs=800, resamples=40), _line(make_rows, jump=6))
    assert more.numbers["matched_ratio.even"].value == pytest.approx(found["matched_ratio.even"].value)
    # No same-class pair crosses 0.5, so that layer has no ratio; pooled it raises the ratio far above 1.
    assert "matched_ratio.between" not in more.numbers
    assert "No same-class pair differs in between: no ratio there." in more.notes
    assert more.numbers["matched_ratio"].low > 2


def test_intervals_say_what_they_are_and_ratios_have_a_chance_level(make_rows, find):
    number = find(PairDensity(pairs=500, resamples=40), _line(make_rows, jump=0)).numbers["matched_ratio"]
    assert number.interval == "5 to 95 % of 40 resamples of the examples, with replacement"
    assert number.low < number.value < number.high
    assert number.chance == pytest.approx(1.0, abs=0.05)
    assert number.chance_is == "mean of 40 shuffles of classes over examples"


def test_numerators_and_denominators_are_shown_apart(make_rows, find):
    # Four corners of a square, classes by column: same-class pairs are 2 apart, others 1 or sqrt(5) apart.
    points = np.array([[0.0, 0.0], [0.0, 2.0], [1.0, 0.0], [1.0, 2.0]])
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool)
    rows = make_rows(points, bits={"one": bits}, targets=np.array([0, 0, 1, 1]))
    found = find(PairDensity(pairs=10, bins=1, resamples=20), rows)
    assert found.numbers["pairs_same"].value == 2
    assert found.numbers["pairs_different"].value == 4
    assert found.numbers["numerator_same"].value == 0.5
    assert found.numbers["numerator_different"].value == pytest.approx((0.5 + 0.5 + 1 + 1) / 4)
    assert found.numbers["denominator_same"].value == 2.0
    assert found.numbers["denominator_different"].value == pytest.approx((1 + 1 + 2 * 5**0.5) / 4)
    assert found.numbers["raw_ratio"].value == pytest.approx((2 * 0.5 + 2 / 5**0.5) / 4 / 0.25)
    assert "Only 2 same-class pairs exist; all were taken." in found.notes
    # Both same-class pairs are 2 apart: the distances have no range in common.
    assert "matched_ratio" not in found.numbers
    assert found.numbers["overlap"].value == 0.0


def test_pairs_of_equal_points_are_left_out_and_counted(make_rows, find):
    points = np.array([[0.0], [0.0], [1.0], [2.0], [3.0], [3.5]])
    bits = (points > np.arange(0.25, 4, 0.5)[None]).astype(bool)
    rows = make_rows(points, bits={"one": bits}, targets=np.array([0, 0, 0, 1, 1, 1]))
    found = find(PairDensity(pairs=20, bins=2, resamples=20), rows)
    assert found.numbers["zero_distance_pairs"].value == 1
    assert found.numbers["pairs_same"].value == 5
    assert (found.tables["pairs"]["distance"] > 0).all()
    assert "1 pairs of equal points (distance zero) were left out." in found.notes


def test_the_class_table_holds_every_pair_of_classes(make_rows, find):
    rng = np.random.default_rng(0)
    targets = np.arange(45) % 3
    rows = make_rows(rng.normal(size=(45, 2)), bits={"one": rng.random((45, 8)) < 0.5}, targets=targets)
    table = find(PairDensity(pairs=2000, resamples=20), rows).tables["classes"]
    assert list(zip(table["class_a"], table["class_b"], strict=True)) == [
        (f"class {a}", f"class {b}") for a in range(3) for b in range(a, 3)
    ]
    # 15 rows a class: 105 pairs within each, 225 between each two.
    assert table["pairs"].tolist() == [105, 225, 225, 105, 225, 105]


def test_the_same_rows_and_seed_give_the_same_findings(make_rows, find, same_findings):
    rows = _line(make_rows, jump=2)
    analysis = PairDensity(pairs=300, resamples=20)
    assert same_findings(find(analysis, rows), find(analysis, rows))
    assert not same_findings(find(analysis, rows), find(analysis, rows, seed=1))


@pytest.mark.parametrize("grid", [(3, 3), ()])
def test_positions_are_refused_with_the_way_out(grid, make_rows, find):
    example = np.repeat(np.arange(5), 2)
    rows = make_rows(
        np.zeros((10, 2)),
        bits={"a": np.zeros((10, 3), bool)},
        targets=example % 2,
        example=example,
        grid=grid,
    )
    with pytest.raises(DataError, match="one row per example") as caught:
        find(PairDensity(), rows)
    assert "positions: all" in str(caught.value)


def test_one_sampled_position_per_example_is_refused_too(make_rows, find):
    rows = make_rows(
        np.zeros((6, 2)), bits={"a": np.zeros((6, 3), bool)}, targets=np.arange(6) % 2, grid=(4, 4)
    )
    with pytest.raises(DataError, match="single positions"):
        find(PairDensity(), rows)


@pytest.mark.parametrize(
    ("targets", "message"),
    [(np.arange(6), "no pair of one class"), (np.zeros(6), "no pair of two classes"), (None, "no classes")],
)
def test_classes_without_pairs_are_an_error_in_words(targets, message, make_rows, find):
    rows = make_rows(np.random.default_rng(0).random((6, 2)), bits={"a": np.eye(6) > 0}, targets=targets)
    with pytest.raises(DataError, match=message):
        find(PairDensity(), rows)


def test_pictures_can_be_drawn_even_where_nothing_can_be_matched(make_rows, find):
    analysis = PairDensity(pairs=200, resamples=20)
    rows = _line(make_rows, jump=3)
    apart = make_rows(
        np.array([[0.0], [0.1], [9.0], [9.1]]), bits={"even": np.eye(4) > 0}, targets=np.array([0, 0, 1, 1])
    )
    outcomes = {
        "network": (Outcome(rows, find(analysis, rows), {}),),
        "random_init": tuple(Outcome(apart, find(analysis, apart, seed=seed), {}) for seed in range(2)),
    }
    names = [figure.name for figure in analysis.draw(outcomes, subject="x")]
    assert names == ["density-ratios", "densities", "distance-overlap", "class-matrix"]
    reverse = {"network": outcomes["random_init"][:1]}
    assert len(analysis.draw(reverse, subject="x")) == 4
