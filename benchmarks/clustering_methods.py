"""One clustering in a fresh process: `clustering.py` starts this file with a job and reads what it found.

The job is one argument of JSON; the answer is one line of JSON, and arrays in the file that the job names.
"""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from measuring import peak_megabytes  # noqa: E402

MIN_CLUSTER_SIZE, MIN_SAMPLES = 10, 5
"""Of every method. `MIN_SAMPLES` counts the row itself; a library that does not count it gets one less."""
SIZES: Mapping[str, Any] = {"min_cluster_size": MIN_CLUSTER_SIZE, "min_samples": MIN_SAMPLES}
OTHERS: Mapping[str, Any] = {"min_cluster_size": MIN_CLUSTER_SIZE, "min_samples": MIN_SAMPLES - 1}


@dataclass(frozen=True)
class Found:
    """Flat labels and, where the method shows them, the weights of its spanning tree."""

    labels: np.ndarray
    heights: np.ndarray | None = None


@dataclass(frozen=True)
class Method:
    """A way to cluster, in two steps: only the second is timed."""

    prepare: Callable[[np.ndarray], np.ndarray]
    """Rows (packed bits or activations) as the library takes them."""
    fit: Callable[[np.ndarray], Found]
    exact: bool = True
    """Whether its spanning tree is minimal, so that its weights must equal polylens'."""


def polylens(metric: str, device: str = "cpu") -> Method:
    """The engine of this checkout, medoids left out: no other library finds any while it fits."""

    def fit(rows: np.ndarray) -> Found:
        from polylens.clustering import hdbscan

        found = hdbscan(rows, metric=metric, exemplars=False, device=device, **SIZES)  # type: ignore[arg-type]
        assert found.hierarchy is not None
        return Found(found.labels, found.hierarchy.heights)

    return Method(_as_they_are, fit)


def scikit_learn(metric: str, algorithm: str) -> Method:
    """scikit-learn's HDBSCAN."""

    def fit(rows: np.ndarray) -> Found:
        from sklearn.cluster import HDBSCAN

        given = _hamming_matrix(rows) if metric == "precomputed" else rows
        options = {"metric": metric, "algorithm": algorithm, "n_jobs": -1, "copy": False}
        model = HDBSCAN(**options, **SIZES).fit(given)
        return Found(model.labels_, model._single_linkage_tree_["value"])

    return Method(_as_they_are if metric == "euclidean" else _bits, fit)


def hdbscan(metric: str, algorithm: str) -> Method:
    """The hdbscan library, told not to approximate the spanning tree."""

    def fit(rows: np.ndarray) -> Found:
        from hdbscan import HDBSCAN

        given = _hamming_matrix(rows) if metric == "precomputed" else rows
        options = {"metric": metric, "algorithm": algorithm, "approx_min_span_tree": False}
        model = HDBSCAN(**options, core_dist_n_jobs=-1, **OTHERS).fit(given)
        return Found(model.labels_, model._single_linkage_tree[:, 2])

    return Method(_doubles if metric == "euclidean" else _bits, fit)


def fast_hdbscan_approximate(metric: str) -> Method:
    """fast_hdbscan as its door works for wide rows: a tree of approximate nearest neighbours."""

    def fit(rows: np.ndarray) -> Found:
        from fast_hdbscan import HDBSCAN

        return Found(HDBSCAN(metric=metric, **OTHERS).fit(rows).labels_)

    return Method(_numbers, fit, exact=False)


def fast_hdbscan_exact(metric: str) -> Method:
    """fast_hdbscan's own k-d tree and Boruvka, which its door keeps for narrow rows, called by hand.

    They know Euclidean distance alone; on bits its square is the Hamming distance, as are the heights here.
    """

    def fit(rows: np.ndarray) -> Found:
        import numba
        from fast_hdbscan.boruvka import parallel_boruvka
        from fast_hdbscan.hdbscan import clusters_from_spanning_tree
        from fast_hdbscan.numba_kdtree import build_kdtree

        tree, threads = build_kdtree(rows), numba.get_num_threads()
        unweighted = np.empty(1, np.float32)
        edges, _, _ = parallel_boruvka(tree, threads, OTHERS["min_samples"], unweighted, False)
        if metric == "hamming":
            edges[:, 2] = np.rint(edges[:, 2] ** 2) / rows.shape[1]
        labels = clusters_from_spanning_tree(edges, min_cluster_size=MIN_CLUSTER_SIZE)[0]
        return Found(labels, edges[:, 2])

    return Method(_numbers, fit)


def evoc() -> Method:
    """EVoC, which embeds a graph of neighbours by bitwise Jaccard distance and clusters the embedding."""

    def fit(rows: np.ndarray) -> Found:
        from evoc import EVoC

        model = EVoC(base_min_cluster_size=MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES, random_state=0)
        return Found(model.fit_predict(rows))

    return Method(_as_they_are, fit, exact=False)


def _as_they_are(rows: np.ndarray) -> np.ndarray:
    return rows


def _bits(rows: np.ndarray) -> np.ndarray:
    return np.unpackbits(rows, axis=1).view(np.bool_)


def _doubles(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64)


def _numbers(rows: np.ndarray) -> np.ndarray:
    return np.unpackbits(rows, axis=1).astype(np.float32) if rows.dtype == np.uint8 else rows


def _hamming_matrix(bits: np.ndarray) -> np.ndarray:
    """All distances by one product of matrices: what one gives a library whose Hamming distance is slow."""
    signs = np.where(bits, np.float32(1), np.float32(-1))
    matrix = (signs @ signs.T).astype(np.float64)
    np.subtract(1, np.divide(matrix, bits.shape[1], out=matrix), out=matrix)
    matrix /= 2
    return matrix


CODES: Mapping[str, Method] = {
    "polylens": polylens("hamming"),
    "scikit-learn ball_tree": scikit_learn("hamming", "ball_tree"),
    "scikit-learn brute": scikit_learn("hamming", "brute"),
    "scikit-learn precomputed": scikit_learn("precomputed", "auto"),
    "hdbscan prims_balltree": hdbscan("hamming", "prims_balltree"),
    "hdbscan boruvka_balltree": hdbscan("hamming", "boruvka_balltree"),
    "hdbscan generic": hdbscan("hamming", "generic"),
    "hdbscan precomputed": hdbscan("precomputed", "best"),
    "fast_hdbscan k-d tree": fast_hdbscan_exact("hamming"),
    "fast_hdbscan": fast_hdbscan_approximate("hamming"),
    "evoc": evoc(),
}
"""Ways to cluster codes by Hamming distance; `evoc` has an aim of its own."""

ACTIVATIONS: Mapping[str, Method] = {
    "polylens": polylens("euclidean"),
    "scikit-learn kd_tree": scikit_learn("euclidean", "kd_tree"),
    "scikit-learn brute": scikit_learn("euclidean", "brute"),
    "hdbscan prims_kdtree": hdbscan("euclidean", "prims_kdtree"),
    "hdbscan boruvka_kdtree": hdbscan("euclidean", "boruvka_kdtree"),
    "hdbscan generic": hdbscan("euclidean", "generic"),
    "fast_hdbscan k-d tree": fast_hdbscan_exact("euclidean"),
    "fast_hdbscan": fast_hdbscan_approximate("euclidean"),
}
"""Ways to cluster activations by Euclidean distance."""

CUDA: Mapping[str, Method] = {"polylens": polylens("hamming", device="cuda")}


def timed(job: Mapping[str, Any], method: Method) -> dict[str, float]:
    """First use on a few rows, then the work; the answer's arrays go to the job's file."""
    method.fit(method.prepare(np.load(job["few"])))
    first_use = time.perf_counter() - STARTED
    rows = method.prepare(np.load(job["rows"]))
    start, busy = time.perf_counter(), time.process_time()
    found = method.fit(rows)
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    answer = {"seconds": seconds, "processor": processor, "first_use": first_use, "peak": peak_megabytes()}
    heights = np.empty(0) if found.heights is None else np.sort(found.heights)
    np.savez(job["result"], labels=found.labels, heights=heights)
    if job["way"] == "cuda":
        import torch

        answer["device"] = torch.cuda.max_memory_allocated() // 2**20
    return answer


def permuted(job: Mapping[str, Any], method: Method) -> dict[str, list[float]]:
    """How the labels of permuted rows agree with those of the rows as they were."""
    from sklearn.metrics import adjusted_rand_score

    rows = np.load(job["rows"])
    labels = method.fit(method.prepare(rows)).labels
    agreement = []
    for seed in range(job["permutations"]):
        order = np.random.default_rng(seed).permutation(len(rows))
        again = method.fit(method.prepare(np.ascontiguousarray(rows[order]))).labels
        agreement.append(float(adjusted_rand_score(labels[order], again)))
    return {"agreement": agreement}


def main() -> None:
    """Does one job."""
    job = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    ways = {"codes": CODES, "activations": ACTIVATIONS, "cuda": CUDA}[job["way"]]
    answer = (permuted if job.get("permutations") else timed)(job, ways[job["method"]])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
