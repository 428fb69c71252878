"""Named streams of random numbers.

Every draw comes from a stream named by (seed, what is drawn, for which example or round), so results do not
depend on the order of work, the batch size or the number of processes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Streams:
    """A tree of random streams under one seed.

    >>> streams = Streams(seed=0)
    >>> streams.generator("pairs").integers(100) == streams.generator("pairs").integers(100)
    np.True_
    >>> streams.child("control").path
    ('control',)
    """

    seed: int
    path: tuple[str, ...] = ()

    def child(self, *names: str | int) -> Streams:
        """The subtree under `names`."""
        return Streams(seed=self.seed, path=(*self.path, *map(str, names)))

    def generator(self, *names: str | int) -> np.random.Generator:
        """A fresh NumPy generator for the stream called `names`; the same names give the same numbers."""
        import numpy as np

        return np.random.Generator(np.random.PCG64(self._entropy(*names)))

    def torch_generator(self, *names: str | int) -> torch.Generator:
        """A fresh torch generator (on the CPU, so that every device sees the same numbers)."""
        import torch

        return torch.Generator().manual_seed(self._entropy(*names) >> 65)

    def _entropy(self, *names: str | int) -> int:
        parts = (str(self.seed), *self.path, *map(str, names))
        # The length before each part keeps ("ab", "c") and ("a", "bc") apart.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
