"""What the figures of clusters show, read back from the drawing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from tests.figures.clusters import hierarchy, medoids
from tests.figures.drawing import laid_out, texts

from polylens import figures
from polylens.figures.columns import column_width, layer_edges, narrow_columns
from polylens.figures.icicles import ROOT, Icicles, fitting_scale, hang, middles_of, outline
from polylens.figures.medoid_codes import _alike
from polylens.figures.style import colour, sheet
from polylens.figures.within_between import _edges, _nearer
from polylens.records import CodeLayer

# Eight rows. One leaves all others at distance 4 (lambda 1/4); at distance 2 the other seven split into four
# and three. Of the four one leaves at 1, the others at 1/2; the three leave together at 1.
EIGHT: dict[str, Any] = {
    "parent": np.array([-1, 0, 0]),
    "birth": np.array([0.0, 0.5, 0.5]),
    "death": np.array([0.5, 2.0, 1.0]),
    "size": np.array([8, 4, 3]),
    "row_node": np.array([0, 1, 1, 1, 1, 2, 2, 2]),
    "row_lambda": np.array([0.25, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0]),
    "selected": np.array([1, 2]),
}
trees = st.builds(
    hierarchy,
    st.integers(1, 30),
    n_rows=st.integers(2, 20),
    lost=st.integers(0, 30),
    inside=st.booleans(),
    chain=st.booleans(),
    seed=st.integers(0, 10**6),
)


def hung(tree: dict[str, Any]) -> Icicles:
    return hang(**{name: tree[name] for name in EIGHT})


def tree_figure(tree: dict[str, Any], **more: Any) -> Any:
    return laid_out(
        figures.condensed_tree, tree["parent"], **{k: v for k, v in tree.items() if k != "parent"}, **more
    )


def width_at(corners: np.ndarray, height: float) -> float:
    """Of a shape whose corners go down its right side and up its left one: just above the height."""
    right = corners[: len(corners) // 2]
    return 2 * float(right[np.flatnonzero(right[:, 1] > height)[-1], 0] - corners[:, 0].mean())


def test_an_icicle_is_as_wide_as_the_rows_that_are_still_in_it() -> None:
    tree = hung(EIGHT)
    scale = fitting_scale(tree, zero=None)
    heights = scale.places(np.array([3.0, 1.5, 0.7]))
    shapes = [outline(tree, node, scale=scale, middle=0.5) for node in range(3)]
    per_row = ROOT / 8
    # Below distance 4 seven rows are left; between 2 and 1 four and three; below 1 three and none.
    assert width_at(shapes[0], heights[0]) == pytest.approx(7 * per_row)
    assert width_at(shapes[1], heights[1]) == pytest.approx(4 * per_row)
    assert width_at(shapes[1], heights[2]) == pytest.approx(3 * per_row)
    assert width_at(shapes[2], heights[1]) == pytest.approx(3 * per_row)
    assert shapes[2][:, 1].min() == pytest.approx(float(scale.places(np.array([1.0]))[0]))


def test_chosen_clusters_have_their_colour_and_their_number() -> None:
    with sheet():
        figure = tree_figure(EIGHT | {"selected": np.array([2])})
        (axes,) = figure.axes
        (shapes,) = (found for found in axes.collections if isinstance(found, PolyCollection))
        faces = [to_hex(face) for face in shapes.get_facecolors()]
        assert faces.count(colour(0)) == 1
        assert len(set(faces)) == 2
        assert [text.get_text() for text in axes.texts] == ["0", "8 rows"]
        assert figure.texts[0].get_text() == "1 cluster chosen out of 2 in the hierarchy"


@given(trees)
def test_clusters_hang_below_their_parents_side_by_side(tree: dict[str, Any]) -> None:
    icicles = hung(tree)
    middles = middles_of(icicles)
    half = tree["size"] * (ROOT / tree["size"][0] / 2)
    assert middles[0] == 0.5
    assert (middles - half).min() >= -1e-9
    assert (middles + half).max() <= 1 + 1e-9
    for node in range(len(middles)):
        children = np.flatnonzero(tree["parent"] == node)
        spans = sorted((middles[child] - half[child], middles[child] + half[child]) for child in children)
        assert all(start >= end - 1e-9 for (_, end), (start, _) in itertools.pairwise(spans))


@given(trees)
def test_chosen_clusters_that_hold_no_other_do_not_cross(tree: dict[str, Any]) -> None:
    icicles = hung(tree)
    middles, half = middles_of(icicles), tree["size"] * (ROOT / tree["size"][0] / 2)
    spans = sorted((middles[node] - half[node], middles[node] + half[node]) for node in tree["selected"])
    assert all(start >= end - 1e-9 for (_, end), (start, _) in itertools.pairwise(spans))


@given(trees)
def test_what_lies_in_a_chosen_cluster_belongs_to_it(tree: dict[str, Any]) -> None:
    owner = hung(tree).owner
    for node, number in enumerate(owner.tolist()):
        above = [node]
        while tree["parent"][above[-1]] >= 0:
            above.append(int(tree["parent"][above[-1]]))
        chosen = [place for place, found in enumerate(tree["selected"].tolist()) if found in above]
        assert number == (chosen[0] if chosen else -1)


@pytest.mark.parametrize("n_leaves", [3, 30, 80])
def test_the_numbers_below_the_icicles_do_not_lie_on_each_other(n_leaves: int) -> None:
    with sheet():
        figure = tree_figure(hierarchy(n_leaves, n_rows=30))
        numbers = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
        assert len(numbers) == n_leaves if n_leaves < 50 else 40 <= len(numbers) < n_leaves
        assert "0" in {text.get_text() for text in numbers}
        boxes = [text.get_window_extent() for text in numbers]
        assert not any(one.overlaps(two) for one, two in itertools.combinations(boxes, 2))


def test_the_axis_of_a_hierarchy_names_distances_and_what_stands_for_none() -> None:
    with sheet():
        plain = tree_figure(EIGHT, unit="share of bits").axes[0]
        assert plain.get_ylabel() == "mutual reachability distance (share of bits)"
        named = {float(text.get_text()) for text in plain.get_yticklabels()}
        assert min(named) >= 0.5
        assert max(named) <= 4.1
        # Rows that are equal leave at half of the least distance there is, here 1/2.
        assert tree_figure(EIGHT, zero=0.5).axes[0].get_yticklabels()[0].get_text() == "0"


def test_a_far_row_and_a_long_pair_are_named_and_do_not_squeeze_the_rest() -> None:
    tree = hierarchy(12, n_rows=40)
    row_lambda = tree["row_lambda"].copy()
    row_lambda[np.flatnonzero(tree["row_node"] == 0)[0]] = 1e-9
    row_lambda[np.argmax(row_lambda)] = 1e12
    with sheet():
        figure = tree_figure(tree | {"row_lambda": row_lambda})
        note = " ".join(text.get_text() for text in figure.texts)
        assert "1 row leaving above" in note
        assert "1 row leaving below" in note


def test_sizes_are_bars_and_persistence_is_dots_at_their_values() -> None:
    sizes, persistence = np.array([500, 40, 6]), np.array([0.1, np.nan, 0.9])
    with sheet():
        left, right = laid_out(figures.cluster_persistence, sizes, persistence=persistence).axes
        assert [bar.get_x() + bar.get_width() for bar in left.patches] == [500, 40, 6]
        (dots,) = (line for line in right.lines if line.get_marker() == "o")
        np.testing.assert_array_equal(dots.get_xdata(), persistence)
        assert [text.get_text() for text in right.texts] == ["0.10", "–", "0.90"]


def test_past_forty_clusters_the_smaller_ones_share_a_line() -> None:
    sizes = np.arange(200, 0, -1)
    with sheet():
        figure = laid_out(figures.cluster_persistence, sizes, persistence=np.linspace(0, 1, 200))
        left, right = figure.axes
        assert len(left.patches) == 40
        assert left.get_yticklabels()[-1].get_text() == "160 smaller ones"
        assert "1 to 160" in {text.get_text() for text in left.texts}
        assert sum(len(line.get_xdata()) for line in right.lines if line.get_marker() == "o") == 200
        assert any("The 40 largest clusters" in text.get_text() for text in figure.texts)


def test_medoids_are_drawn_with_their_own_bits_and_their_members_agreement() -> None:
    codes = np.array([[True, False, True, False], [True, True, False, False]])
    agreement = np.array([[1.0, 0.9, 0.8, 0.7], [0.6, 0.5, 0.4, 0.3]])
    with sheet():
        figure = laid_out(
            figures.medoid_codes,
            codes,
            sizes=np.array([9, 5]),
            layers=[CodeLayer("a", 3), CodeLayer("b", 1)],
            agreement=agreement,
            sort=False,
        )
        axes = figure.axes[0]
        drawn, held = (np.ma.getdata(mesh.get_array()).reshape(3, 4)[::2] for mesh in axes.collections)
        np.testing.assert_array_equal(drawn, codes)
        np.testing.assert_allclose(held, agreement, rtol=1e-6)
        assert [text.get_text() for text in axes.get_yticklabels()] == ["cluster 0 (9)", "cluster 1 (5)"]
        # 0.85 and 0.45 are the means of the two lines.
        assert {text.get_text() for text in axes.texts} == {"85 %", "45 %"}
        names = [text.get_text() for text in axes.get_xticklabels()]
        assert [name.split("\n")[0] for name in names] == ["a", "b"]


@given(st.integers(1, 12), st.integers(1, 60), st.integers(0, 10**6))
def test_sorted_bits_stay_all_there_with_constant_ones_at_the_ends(n: int, n_bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.random((n, n_bits)) < rng.random(n_bits)
    order = _alike(codes)
    assert sorted(order.tolist()) == list(range(n_bits))
    share = codes[:, order].mean(axis=0)
    assert (np.flatnonzero(share == 1) == np.arange((share == 1).sum())).all()
    assert (np.flatnonzero(share == 0)[::-1] == n_bits - 1 - np.arange((share == 0).sum())).all()


def test_bits_that_are_on_in_the_same_clusters_are_neighbours() -> None:
    rng = np.random.default_rng(0)
    kinds = medoids(10, 6)["codes"]
    shuffled = kinds[:, rng.permutation(np.repeat(np.arange(6), 50))]
    placed = shuffled[:, _alike(shuffled)]
    changes = (placed[:, 1:] != placed[:, :-1]).any(axis=0).sum()
    assert changes == len(np.unique(kinds, axis=1).T) - 1


@pytest.mark.parametrize(("n_bits", "width"), [(64, 1), (1000, 1), (1001, 2), (3072, 4)])
def test_wide_codes_are_narrowed_to_means_that_keep_the_mean(n_bits: int, width: int) -> None:
    bits = np.random.default_rng(0).random((3, n_bits)) < 0.3
    assert column_width(n_bits) == width
    means = narrow_columns(bits, width=width)
    weights = np.diff([*range(0, n_bits, width), n_bits])
    np.testing.assert_allclose(means @ weights, bits.sum(axis=1), rtol=1e-5)
    assert layer_edges([CodeLayer("a", n_bits)], n_bits=n_bits).tolist() == [0, n_bits]


def test_medians_and_the_overlap_of_distances_are_stated() -> None:
    # Two of four distances within (1, 2) and two of four between (2, 3 and 4, 4): they share a quarter, at 2.
    within, between = np.array([1.0, 1.0, 1.0, 2.0]), np.array([2.0, 3.0, 4.0, 4.0])
    with sheet():
        figure = laid_out(figures.within_between, within, between=between, unit="bits")
        said = " ".join(text.get_text() for text in texts(figure))
    assert "Median distance 1.00 within clusters, 3.50 between them" in said
    assert "overlap by 25 %" in said
    # Of the 16 comparisons one is equal and all others have the pair within nearer: 15.5 / 16.
    assert _nearer(within, between) == 15.5 / 16
    assert "In 97 % of comparisons" in said
    assert "distance (bits)" in said


@given(st.lists(st.integers(0, 300), min_size=2), st.integers(2, 90), st.sampled_from([1.0, 1 / 3072, 7.3]))
def test_bins_hold_equally_many_of_the_counts_a_distance_can_be(
    counts: list[int], most: int, unit: float
) -> None:
    counts = [*counts, counts[0] + 1]
    values = np.array(counts) * unit
    edges = _edges(values, most=most)
    assert edges[0] <= values.min()
    assert edges[-1] >= values.max()
    assert len(edges) <= most + 1
    assert np.histogram(values, edges)[0].sum() == len(values)
    # As a distance of 1 is among them, every distance is a multiple of it, and edges stand between multiples.
    held = np.histogram(np.arange(min(counts), max(counts) + 1) * unit, edges)[0]
    assert len(set(held[:-1].tolist())) <= 1


@given(st.lists(st.floats(0, 1e6), min_size=1), st.lists(st.floats(0, 1e6), min_size=1))
def test_how_often_one_distance_is_nearer_is_counted_over_all_comparisons(
    within: list[float], between: list[float]
) -> None:
    pairs = list(itertools.product(within, between))
    counted = sum(1.0 if a < b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert _nearer(np.array(within), np.array(between)) == pytest.approx(counted)
