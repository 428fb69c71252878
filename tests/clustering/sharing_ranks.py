"""A program for a test: forks processes of a group, and each clusters the same rows with the others.

Its arguments are a folder with `METRIC.npy` and the number of processes of each group, one after the other.
Of a group of n, rank r writes `METRIC-r-of-n.npz` there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numba.np import arraymath
from tests.killing import exit_code, forked
from torch import distributed

from polylens.clustering import hierarchy
from polylens.clustering.torch_passes import TorchPasses

METRICS = ("hamming", "euclidean")


def cluster(folder: Path, *, rank: int, count: int) -> None:
    """What one process of the group does."""
    meeting = f"file://{folder}/meet-{count}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=count)
    for metric in METRICS:
        found = hierarchy(np.load(folder / f"{metric}.npy"), metric=metric, min_samples=4)
        np.savez(folder / f"{metric}-{rank}-of-{count}.npz", order=found.order, heights=found.heights)
    distributed.destroy_process_group()


if __name__ == "__main__":
    # Imported here, for all; the latter is asked for where a kernel that was compiled before is loaded.
    assert all((TorchPasses, arraymath))
    where, counts = Path(sys.argv[1]), [int(number) for number in sys.argv[2:]]
    codes = []
    for processes in counts:
        children = [
            forked(lambda rank=rank, count=processes: cluster(where, rank=rank, count=count))
            for rank in range(processes)
        ]
        codes += [abs(exit_code(child)) for child in children]
    sys.exit(max(codes))
