"""Sequences of tokens in memory, so that no way waits for files or tokenizers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from polylens.records import Context, Examples

_VOCABULARY = 50_257


def tokens(n_sequences: int, length: int) -> torch.Tensor:
    """The same tokens for the same arguments."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, _VOCABULARY, (n_sequences, length), generator=generator)


def sequences(n_sequences: int, length: int) -> Examples:
    """These tokens as examples."""
    return _Sequences(tokens(n_sequences, length))


class _Sequences(Examples):
    def __init__(self, inputs: torch.Tensor) -> None:
        self.inputs = inputs
        self.ids = tuple(map(str, range(len(inputs))))
        self.targets, self.classes, self.fingerprint = None, (), f"tokens-{len(inputs)}"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self.inputs[list(indices)]

    def lengths(self) -> np.ndarray:
        return np.full(len(self.inputs), self.inputs.shape[1])

    def context(self, index: int, position: int = 0) -> Context:
        raise NotImplementedError
