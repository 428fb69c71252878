"""What 100 million rows would take, from runs at sizes that fit here: `python benchmarks/many_rows.py`.

Codes of 3,072 bits around centres whose shares fall as in Zipf's law. Three things are measured, each in a
fresh process: the exact tree, which looks at all pairs; the assignment of further rows to the clusters of a
sample; and what such a sample misses. Times are processor seconds, which other programs on the machine hardly
change. Each size is held against what the one before it predicts, and then the law is carried on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np
from measuring import peak_megabytes

BITS, CENTRES, MOST_FLIPPED = 3072, 400, 0.12
MANY = 100_000_000
SIZES = {"2-5": (2, 5), "5-10": (5, 10), "10-20": (10, 20), "20-": (20, 10**9)}
"""Rows that a sample should have of a centre."""


def planted(rows: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Packed codes, and the centre of each."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(1).integers(0, 256, (CENTRES, BITS // 8), dtype=np.uint8)
    shares = 1 / np.arange(1, CENTRES + 1)
    own = generator.choice(CENTRES, rows, p=shares / shares.sum())
    codes = centres[own]
    for start in range(0, rows, 4096):
        block = slice(start, start + 4096)
        flipped = generator.random((len(codes[block]), BITS)) < generator.uniform(0, MOST_FLIPPED)
        codes[block] ^= np.packbits(flipped, axis=1)
    return codes, own


def one_tree(rows: int) -> dict[str, float]:
    from polylens.clustering import hierarchy

    codes, _ = planted(rows)
    codes.setflags(write=False)  # as stored rows are
    compile_passes()
    before, began = peak_megabytes(), time.process_time()
    hierarchy(codes, metric="hamming", min_samples=5)
    return {"seconds": time.process_time() - began, "megabytes": peak_megabytes() - before}


def compile_passes() -> None:
    from polylens.analyses.spanning_tree import SpanningTree

    SpanningTree(on="code").rehearse()


def one_assignment(rows: int, sample: int) -> dict[str, float]:
    from polylens.clustering import assign_rows, hdbscan

    codes, _ = planted(rows + sample)
    codes.setflags(write=False)
    clustered, further = codes[:sample], codes[sample:]
    partition = hdbscan(clustered, metric="hamming", min_cluster_size=10, exemplars=False)
    assign_rows(further[:500], among=clustered, partition=partition)
    before, began = peak_megabytes(), time.process_time()
    assign_rows(further, among=clustered, partition=partition)
    return {"seconds": time.process_time() - began, "megabytes": peak_megabytes() - before}


def one_loss(rows: int, sample: int) -> dict[str, float]:
    """Of the centres with 10 rows and more among all rows: how many have a cluster in the sample, by size."""
    from sklearn.metrics import adjusted_rand_score

    from polylens.clustering import hdbscan, hdbscan_of_sample

    codes, own = planted(rows)
    chosen = np.sort(np.random.default_rng(2).choice(rows, sample, replace=False))
    of_sample = hdbscan(codes[chosen], metric="hamming", min_cluster_size=10, exemplars=False)
    found = hdbscan_of_sample(codes, sample=chosen, of_sample=of_sample)
    exact = hdbscan(codes, metric="hamming", min_cluster_size=10, exemplars=False)
    sizes = np.bincount(own, minlength=CENTRES)
    seen = {int(np.bincount(own[found.labels == label]).argmax()) for label in range(found.n_clusters)}
    expected = sizes * sample / rows
    both = (found.labels >= 0) & (exact.labels >= 0)
    return {
        "clusters": found.n_clusters,
        "exact": exact.n_clusters,
        "rand": float(adjusted_rand_score(exact.labels[both], found.labels[both])),
        "covered": float(both.sum() / (exact.labels >= 0).sum()),
        **{
            name: float(np.mean([c in seen for c in np.flatnonzero(within)]))
            for name, (least, most) in SIZES.items()
            if (within := (expected >= least) & (expected < most)).any()
        },
    }


def apart(*words: str | int) -> dict[str, float]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--one", *map(str, words)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def series(title: str, work: str, sizes: list[tuple[int, int]]) -> float:
    """Prints a series of rows and pairs; gives processor seconds a pair at the largest size."""
    print(f"\n{title}")
    print(
        f"{'rows':>10}{'pairs':>12}{'cpu s':>9}{'predicted':>11}{'pairs/s':>12}{'MB':>7}{'bytes a row':>13}"
    )
    rate = 0.0
    for rows, pairs in sizes:
        found = apart(work, rows) if work == "tree" else apart(work, rows, pairs // rows)
        seconds, megabytes = found["seconds"], found["megabytes"]
        predicted = f"{rate * pairs:.2f}" if rate else ""
        rate = seconds / pairs
        print(f"{rows:>10,}{pairs:>12.2e}{seconds:>9.2f}{predicted:>11}{1 / rate:>12.2e}", end="")
        print(f"{megabytes:>7.0f}{megabytes * 1e6 / rows:>13.0f}", flush=True)
    return rate


def main(largest: int) -> None:
    sizes = (largest // 4, largest // 2, largest)
    tree = series("Exact tree", "tree", [(rows, rows * (rows - 1) // 2) for rows in sizes])
    sample = largest // 4
    further = [(rows, rows * sample) for rows in (largest // 2, largest, 2 * largest)]
    assign = series(f"Assigned to the clusters of {sample:,}", "assign", further)
    print(f"\nWhat samples of {largest:,} rows miss: centres found, by the rows a sample should have of them")
    print(f"{'sample':>10}{'clusters':>10}{'exact':>7}{'rand':>7}{'covered':>9}   2-5  5-10 10-20   20-")
    for size in (largest // 16, largest // 8, largest // 4):
        loss = apart("loss", largest, size)
        print(f"{size:>10,}{loss['clusters']:>10.0f}{loss['exact']:>7.0f}", end="")
        print(f"{loss['rand']:>7.3f}{loss['covered']:>9.3f}  ", end="")
        print("".join(f"{loss.get(name, float('nan')):>6.2f}" for name in SIZES), flush=True)
    print(f"\n{MANY:,} rows of {BITS:,} bits, in hours of one core like this:")
    lines = [("exact tree of all rows", tree * MANY**2 / 2)]
    for size in (100_000, 1_000_000):
        lines.append((f"exact tree of a sample of {size:,}", tree * size**2 / 2))
        lines.append((f"all others assigned to the clusters of {size:,}", assign * MANY * size))
    print(f"  {'the codes':<50}{MANY * BITS / 8 / 1e9:>12,.1f} GB")
    for what, seconds in lines:
        print(f"  {what:<50}{seconds / 3600:>12,.2f} h")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=32_000, help="rows of the largest tree")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, *numbers = given.one
        does = {"tree": one_tree, "assign": one_assignment, "loss": one_loss}[name]
        print(json.dumps(does(*map(int, numbers))))
    else:
        main(given.largest)
