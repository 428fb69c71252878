from __future__ import annotations

import numpy as np
import pytest
from tests.clustering import brute

from polylens.clustering import hdbscan, hierarchy
from polylens.progress import Silent
from polylens.records import NOISE
from polylens.statistics import adjusted_rand, contingency


def _groups(sizes=(12, 20, 8), *, width=3, spread=0.05, seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = 10.0 * np.eye(width)[: len(sizes)]
    parts = [rng.normal(place, spread, (size, width)) for place, size in zip(places, sizes, strict=True)]
    return np.concatenate(parts).astype(np.float32)


def _codes(seed=0, rows=45, bits=64, noise=0.03) -> np.ndarray:
    rng = np.random.default_rng(seed)
    prototypes = rng.random((3, bits)) < 0.5
    return np.repeat(prototypes, rows // 3, axis=0) ^ (rng.random((rows, bits)) < noise)


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    """1 for the same clusters, whatever their numbers; noise counts as one of them."""
    return 1.0 if _same(one, other) else adjusted_rand(contingency(one + 1, other + 1))


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = len(set(zip(one.tolist(), other.tolist(), strict=True)))
    return pairs == len(set(one.tolist())) == len(set(other.tolist()))


def test_separate_groups_are_clusters_numbered_by_falling_size():
    found = hdbscan(_groups(), metric="euclidean", min_cluster_size=5, min_samples=2)
    members = [np.bincount(found.labels[part] + 1, minlength=4).argmax() - 1 for part in _parts()]
    assert members == [1, 0, 2]  # sizes 12, 20, 8
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(sizes) <= 0).all()


def _parts() -> list[slice]:
    return [slice(0, 12), slice(12, 32), slice(32, 40)]


def test_a_row_far_from_everything_is_noise_of_strength_zero():
    points = np.concatenate([_groups(), np.full((1, 3), 500, np.float32)])
    found = hdbscan(points, metric="euclidean", min_cluster_size=5, min_samples=2)
    assert found.labels[-1] == NOISE
    assert found.strength[-1] == 0.0
    assert ((found.strength >= 0) & (found.strength <= 1)).all()
    assert (found.strength[found.labels >= 0] > 0).all()


def test_exemplars_are_rows_of_their_clusters():
    found = hdbscan(_groups(), metric="euclidean", min_cluster_size=5)
    assert found.labels[found.exemplars].tolist() == list(range(found.n_clusters))
    assert hdbscan(_groups(), metric="euclidean", exemplars=False).exemplars.shape == (0,)


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_codes_are_clustered_alike_packed_or_not(metric):
    bits = _codes(bits=61)
    found = hdbscan(bits, metric=metric)
    truth = np.repeat(np.arange(3), 15)
    clustered = found.labels >= 0
    assert found.n_clusters == 3
    assert found.space == "code"
    assert _same(found.labels[clustered], truth[clustered])
    packed = hdbscan(np.packbits(bits, axis=1), metric=metric, bits=61)
    for name in ("labels", "strength", "exemplars", "persistence"):
        assert np.array_equal(getattr(packed, name), getattr(found, name))
    assert packed.hierarchy is not None
    assert found.hierarchy is not None
    assert np.array_equal(packed.hierarchy.heights, found.hierarchy.heights)


def test_graded_codes_are_clustered_by_l1_distance():
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(0, 4, (3, 30)), 15, axis=0) + (rng.random((45, 30)) < 0.05)
    found = hdbscan(codes.astype(np.float32), metric="l1")
    assert found.n_clusters == 3
    expected = brute.hierarchy(codes.astype(np.float32), metric="l1", min_samples=5)
    assert found.hierarchy is not None
    assert np.array_equal(found.hierarchy.heights, expected.heights)


def test_two_groups_of_duplicates_are_clusters_of_full_strength():
    bits = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], dtype=bool), 8, axis=0)
    for metric in ("hamming", "jaccard"):
        found = hdbscan(bits, metric=metric, min_cluster_size=5)
        assert found.labels.tolist() == [0] * 8 + [1] * 8
        assert found.strength.tolist() == [1.0] * 16
        assert found.exemplars.tolist() == [0, 8]
        # The groups part at height 1, and equal rows at 1/2: 8 * (2 - 1) / (8 * 2).
        assert found.persistence is not None
        assert found.persistence.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("points", [np.ones((20, 4), np.float32), np.zeros((20, 4), bool)])
def test_rows_that_are_all_equal_are_all_noise(points, selection):
    metric = "euclidean" if points.dtype == np.float32 else "jaccard"
    found = hdbscan(points, metric=metric, selection=selection)
    assert found.labels.tolist() == [NOISE] * 20
    assert found.strength.tolist() == [0.0] * 20
    assert found.n_clusters == 0
    assert found.exemplars.shape == (0,)
    assert found.persistence is not None
    assert found.persistence.shape == (0,)


def test_cosine_does_not_see_length():
    points = _groups((12, 20)) + 0.5
    stretched = points * np.random.default_rng(0).uniform(0.1, 10, (32, 1)).astype(np.float32)
    one, other = (hdbscan(each, metric="cosine", min_cluster_size=5) for each in (points, stretched))
    assert np.array_equal(one.labels, other.labels)
    assert one.n_clusters == 2


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("min_samples", [1, 3, 5])
def test_the_order_of_rows_does_not_matter(selection, min_samples):
    rng = np.random.default_rng(5)
    everywhere = rng.normal(4, 3, (30, 3)).astype(np.float32)
    near_integers = rng.integers(0, 5, (80, 3)).astype(np.float32)
    for points, metric in [
        (np.concatenate([_groups(), everywhere]), "euclidean"),
        (near_integers, "l1"),
        (near_integers, "cosine"),
        (_codes(1, rows=90, noise=0.15), "hamming"),
        (_codes(2, rows=90, bits=16, noise=0.2), "jaccard"),
    ]:
        how = {"metric": metric, "min_samples": min_samples, "selection": selection, "min_cluster_size": 4}
        one = hdbscan(points, **how)
        for _ in range(3):
            order = rng.permutation(len(points))
            other = hdbscan(points[order], **how)
            assert _same(one.labels[order], other.labels)
            assert np.array_equal(one.labels[order] < 0, other.labels < 0)
            assert np.array_equal(one.strength[order], other.strength)
            assert sorted(one.persistence) == sorted(other.persistence)


def test_scikit_learn_depends_on_the_order_of_rows_where_distances_tie_and_we_do_not():
    from sklearn.cluster import HDBSCAN

    rng = np.random.default_rng(0)
    bits = _codes(3, rows=150, bits=48, noise=0.2)
    orders = [rng.permutation(150) for _ in range(5)]

    def theirs(points: np.ndarray) -> np.ndarray:
        fitted = HDBSCAN(metric="hamming", algorithm="brute", min_cluster_size=4, copy=True).fit(points)
        return np.asarray(fitted.labels_, dtype=np.int64)

    def ours(points: np.ndarray) -> np.ndarray:
        return hdbscan(points, metric="hamming", min_cluster_size=4, exemplars=False).labels

    agreed = {
        find: float(np.mean([_agreement(find(bits)[order], find(bits[order])) for order in orders]))
        for find in (theirs, ours)
    }
    assert len(np.unique(ours(bits))) > 2
    assert agreed[ours] == 1.0
    assert agreed[theirs] < 0.9


@pytest.mark.parametrize("algorithm", ["ball_tree", "brute"])
@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_clusters_are_those_of_scikit_learn_where_no_heights_are_equal(algorithm, selection):
    from sklearn.cluster import HDBSCAN

    compared = dict.fromkeys((1, 2, 5, 15), 0)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rows = 25 if seed % 2 else 100
        points = (rng.normal(size=(rows, 3)) * rng.choice([0.2, 1.0, 3.0], (rows, 1))).astype(np.float32)
        for min_samples in compared:
            of = hierarchy(points, metric="euclidean", min_samples=min_samples)
            if len(np.unique(of.heights)) < rows - 1:
                continue  # core distances tie from min_samples 3 on
            compared[min_samples] += 1
            for size, largest in ((2, None), (4, 9), (8, 40)):
                # The library does not keep the largest size under `leaf`.
                largest = None if selection == "leaf" else largest
                fitted = HDBSCAN(
                    min_cluster_size=size,
                    min_samples=min_samples,
                    max_cluster_size=largest,
                    cluster_selection_method=selection,
                    algorithm=algorithm,
                    copy=True,
                ).fit(points.astype(np.float64))
                found = hdbscan(
                    points,
                    metric="euclidean",
                    min_cluster_size=size,
                    max_cluster_size=largest,
                    selection=selection,
                    of=of,
                    exemplars=False,
                )
                assert _same(found.labels, fitted.labels_)
                assert found.strength == pytest.approx(fitted.probabilities_, abs=1e-5)
                theirs = np.sort(fitted._single_linkage_tree_["value"])
                assert np.sort(of.heights) == pytest.approx(theirs, rel=1e-9)
    assert compared[1] == compared[2] == 12
    assert compared[15] >= 4


def test_limits_reach_the_selection_and_are_named():
    points = _groups((12, 20, 8))
    found = hdbscan(points, metric="euclidean", max_cluster_size=15, epsilon=0.001, min_samples=2)
    assert np.bincount(found.labels[found.labels >= 0]).max() <= 15
    assert found.method == (
        "HDBSCAN (euclidean, min_cluster_size 5, min_samples 2, eom, max_cluster_size 15, epsilon 0.001)"
    )
    leaves = hdbscan(points, metric="euclidean", selection="leaf", min_cluster_size=2, min_samples=2)
    merged = hdbscan(
        points, metric="euclidean", selection="leaf", min_cluster_size=2, min_samples=2, epsilon=5.0
    )
    assert merged.n_clusters == 3 < leaves.n_clusters


def test_one_hierarchy_is_cut_at_many_sizes():
    points = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    first = hdbscan(points, metric="euclidean", min_cluster_size=5, min_samples=4)
    for size in (2, 5, 12):
        again = hdbscan(points, metric="euclidean", min_cluster_size=size, of=first.hierarchy)
        anew = hdbscan(points, metric="euclidean", min_cluster_size=size, min_samples=4)
        assert np.array_equal(again.labels, anew.labels)
        assert again.hierarchy is first.hierarchy
        assert again.method == anew.method


def test_leaves_are_at_least_as_many_as_persistent_clusters():
    points = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    eom, leaf = (hdbscan(points, metric="euclidean", selection=how).n_clusters for how in ("eom", "leaf"))
    assert leaf >= eom


class _Watching(Silent):
    def __init__(self) -> None:
        self.tasks: list[tuple[str, float | None, str]] = []

    def task(self, title, *, total, unit):
        self.tasks.append((title, total, unit))
        return super().task(title, total=total, unit=unit)


def test_the_work_shows_itself():
    watching = _Watching()
    hdbscan(_groups(), metric="euclidean", progress=watching)
    assert watching.tasks[0] == ("nearest neighbours", 780, "pairs")
    assert watching.tasks[-1] == ("medoids", 40, "rows")
