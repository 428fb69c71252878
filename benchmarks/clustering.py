"""Exact HDBSCAN beside what else there is: `python benchmarks/clustering.py [--quick] [--device cuda]`.

Codes (sign bits of planted rows behind a random ReLU layer) by Hamming distance, and the activations
themselves by Euclidean distance. Every clustering is a fresh process in an environment with all peers (see
`own_environment.py`), in turn (A B A B). What claims to be exact must have the same spanning-tree weights as
polylens before anything is timed. The machine's own limits are measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from measuring import Patience
from own_environment import enter

ROWS = {"codes": (2_000, 10_000, 20_000, 50_000, 100_000), "activations": (2_000, 5_000, 10_000)}
QUICK_ROWS = {"codes": (2_000, 10_000), "activations": (2_000, 5_000)}
UNITS = {"codes": (1_024, 3_072), "activations": (3_072,)}
CUDA_ROWS, CUDA_UNITS = (100_000, 1_000_000), 3_072
PERMUTED_ROWS, PERMUTED_UNITS, PERMUTATIONS = 2_000, (64, 256, 1_024, 3_072), 3
LIBRARIES = ("numpy", "numba", "scikit-learn", "hdbscan", "fast_hdbscan", "pynndescent", "evoc", "torch")


def head_to_head(way: str, arguments: argparse.Namespace, folder: Path) -> None:
    """Checks; then time, memory and agreement of every method, and how far ours is from the limit."""
    import clustering_tables as tables
    from clustering_runs import OURS, Runs
    from machine_limits import one_pass

    sizes = (QUICK_ROWS if arguments.quick else ROWS)[way]
    for units in (arguments.units,) if arguments.units else UNITS[way]:
        runs = Runs(way, units, folder, **_limits(arguments))
        cold = runs.check(sizes[0])
        print(f"\n### {way}, {units:,} units")
        print(f"\nSpanning trees of {sizes[0]:,} rows equal {OURS}'s: {', '.join(runs.proven)}.")
        passes: dict[int, tuple[float, float]] = {}
        for n_rows in sizes:
            least = one_pass(way, rows=n_rows, units=units)
            measured = runs.measure(n_rows)
            least = min(least, one_pass(way, rows=n_rows, units=units))
            passes[n_rows] = least, measured[OURS].seconds
            tables.methods(n_rows, measured, runs.left_out)
            if n_rows == sizes[0]:
                tables.first_use(cold, measured)
        tables.passes("popcount" if way == "codes" else "matrix product", passes)
        say_load()


def permutation(folder: Path) -> None:
    """Whether the order of rows matters, on codes of different widths: the fewer units, the more ties."""
    import clustering_tables as tables
    from clustering_runs import Runs

    agreement = {}
    for units in PERMUTED_UNITS:
        runs = Runs("codes", units, folder)
        agreement[units] = runs.permuted(PERMUTED_ROWS, PERMUTATIONS)
    print(f"\n### The same {PERMUTED_ROWS:,} codes in {PERMUTATIONS} other orders")
    print("\nLeast agreement (adjusted Rand index) of each method with itself.")
    tables.permutations(PERMUTED_UNITS, agreement)


def on_cuda(arguments: argparse.Namespace, folder: Path) -> None:
    """Ours alone, on a GPU; says so where there is none."""
    import clustering_tables as tables
    import torch
    from clustering_runs import OURS, Runs

    if not torch.cuda.is_available():
        print("\nNo CUDA device: nothing was measured on one.")
        return
    print(f"\n### codes on one {torch.cuda.get_device_name()}")
    runs = Runs("cuda", CUDA_UNITS, folder, **_limits(arguments))
    for n_rows in CUDA_ROWS:
        tables.cuda(n_rows, CUDA_UNITS, runs.measure(n_rows)[OURS])


def _limits(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"limit": arguments.limit, "turns": arguments.turns, "patience": arguments.patience}


def _patience(seconds: str) -> Patience:
    return Patience(float(seconds))


def say_machine() -> None:
    """Processor, cores and versions."""
    from machine_limits import cores

    processor = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in processor.splitlines())
    found = {key.strip(): value.strip() for key, _, value in pairs}
    model = f"{found.get('model name')} (family {found.get('cpu family')}, model {found.get('model')})"
    print(f"{model}, {cores()} cores, Python {platform.python_version()}.")
    print(", ".join(f"{name} {_version(name)}" for name in LIBRARIES) + ".")


def say_load() -> None:
    """What runs besides: above the number of cores, times are worth nothing."""
    print(f"\nLoad of the last 1, 5, 15 minutes: {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smaller numbers of rows only")
    parser.add_argument("--only", choices=("codes", "activations", "permutation"), help="one section")
    parser.add_argument(
        "--units", type=int, help="bits of a code or numbers of an activation, one width only"
    )
    parser.add_argument("--limit", type=float, default=120, help="seconds that one clustering may take")
    parser.add_argument("--turns", type=int, default=3, help="runs of each method that is done in 20 s")
    parser.add_argument(
        "--patience", type=_patience, default="600", help="seconds to wait for others, in all"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: ours alone, there")
    parser.add_argument("--here", action="store_true", help="no environment of its own, but this one")
    arguments = parser.parse_args()
    if not arguments.here:
        enter(__file__, requirements="clustering-requirements.txt")
    say_machine()
    say_load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.device == "cuda":
            on_cuda(arguments, folder)
            return
        for way in ROWS:
            if arguments.only in (None, way):
                head_to_head(way, arguments, folder)
        if arguments.only in (None, "permutation"):
            permutation(folder)


if __name__ == "__main__":
    main()
