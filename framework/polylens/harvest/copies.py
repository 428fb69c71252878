"""Copies among examples: inputs that are the same to the last number."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from jaxtyping import Int64

from polylens.records import PADDING


def content_of(inputs: torch.Tensor) -> int:
    """A number that names the contents of one example's input: pixels, or tokens without padding.

    >>> content_of(torch.tensor([5, 7, PADDING])) == content_of(torch.tensor([5, 7]))
    True
    """
    kept = inputs if inputs.is_floating_point() else inputs[inputs != PADDING]
    data = kept.contiguous().numpy().tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


def first_of_copies(
    contents: Int64[np.ndarray, "examples"], targets: Int64[np.ndarray, "examples"] | None
) -> Int64[np.ndarray, "examples"]:
    """The first example with the same contents and class as each example; itself where there is none before.

    Copies in different classes stay apart: as one block they would have no one class, and a name that fits
    one of them does not fit the other.

    >>> first_of_copies(np.array([4, 9, 4, 4]), np.array([0, 0, 0, 1])).tolist()
    [0, 1, 0, 3]
    """
    classes = np.zeros(len(contents), np.int64) if targets is None else targets
    keys = np.stack([contents, classes], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[group.reshape(-1)], dtype=np.int64)
