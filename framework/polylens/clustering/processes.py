"""Sharing one computation among the processes of a `torch.distributed` group."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Processes:
    """The processes that work on the same rows, and which of them this one is."""

    rank: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> Processes:
        """The default process group where one is set up (by torchrun, Lightning or by hand), else this
        process.

        Every process of the group must then ask for the same clustering of the same rows.
        """
        torch = sys.modules.get("torch")  # a group cannot have been set up without it
        if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
            return cls()
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size())

    def each(self, number: int) -> list[int]:
        """The number of every process, by rank."""
        return [int(found[0]) for found in self.gather(np.array([number]))]

    def gather(self, array: np.ndarray) -> list[np.ndarray]:
        """The array of every process, by rank; arrays have the same shape and type everywhere."""
        if self.count == 1:
            return [array]
        import torch
        from torch import distributed

        on = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        mine = torch.from_numpy(np.ascontiguousarray(array)).to(on)
        all_of_them = [torch.empty_like(mine) for _ in range(self.count)]
        distributed.all_gather(all_of_them, mine)
        return [tensor.cpu().numpy() for tensor in all_of_them]
