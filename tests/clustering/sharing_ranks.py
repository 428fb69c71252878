"""A program for a test: forks processes of a group, and each clusters the same rows with the others.

Its arguments are a folder with `METRIC.npy` and the number of processes; rank r writes `METRIC-r.npz` there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tests.killing import exit_code, forked
from torch import distributed

from polylens.clustering import hierarchy
from polylens.clustering.torch_passes import TorchPasses

METRICS = ("hamming", "euclidean")


def cluster(folder: Path, *, rank: int, count: int) -> None:
    """What one process of the group does."""
    meeting = f"file://{folder}/meet"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=count)
    for metric in METRICS:
        found = hierarchy(np.load(folder / f"{metric}.npy"), metric=metric, min_samples=4)
        np.savez(folder / f"{metric}-{rank}.npz", order=found.order, heights=found.heights)
    distributed.destroy_process_group()


if __name__ == "__main__":
    assert TorchPasses, "imported here, for all"
    where, processes = Path(sys.argv[1]), int(sys.argv[2])
    children = [
        forked(lambda rank=rank: cluster(where, rank=rank, count=processes)) for rank in range(processes)
    ]
    sys.exit(max(abs(exit_code(child)) for child in children))
