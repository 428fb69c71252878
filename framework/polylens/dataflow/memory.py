"""Which step of a forward pass wrote each element of each tensor.

1. Every value that a step computes gets the next free id; a step's ids are consecutive (`write`).
2. Ids are kept by storage, not by tensor: views share them, and a view's ids are read with its own strides
   (`ids`). A storage that one step wrote as a whole is known by its first id alone.
3. What is written in place, or moved, is put at the elements that it goes to (`place`); from there on the
   storage has a list of ids.

Invariants: an id never changes its meaning; 0 is what does not depend on the input; the ids of later steps
are larger, so that a search tells the step of a value (`step_of`).

Cost: memory for one number an element where a storage was written in parts, and none where it was not.
Storages are kept alive while the pass is watched, so that none is reused for other values.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64

from polylens.errors import UsageError

Ids = Int64[torch.Tensor, "..."]
"""For each element, the id of the value it holds; 0 for values that do not depend on the input."""


@dataclass
class _Held:
    """The ids of one storage, in storage order: `first`, `first + 1`, ... until it is written into."""

    storage: torch.UntypedStorage
    itemsize: int
    first: int
    ids: Ids | None = None


class Memory:
    """Ids of all values that depend on the input, kept by storage.

    Every value a step computes gets an id of its own. Ids live in storages, not in tensors, so views share
    them, writing in place through one view is seen by all, and an operation that only moves elements moves
    their ids. Storages are kept alive, so that none is reused while the pass is watched.
    """

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self.firsts: list[int] = []
        """The first id of each step; a step's ids end where the next one's begin."""
        self._next = 1

    def knows(self, tensor: torch.Tensor) -> bool:
        """Whether anything in the tensor's storage may depend on the input."""
        return _key(tensor) in self._held

    def reads_as_other_type(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor reads its storage by elements of another size than they were written."""
        held = self._held.get(_key(tensor))
        return held is not None and held.itemsize != tensor.element_size()

    def ids(self, tensor: torch.Tensor) -> Ids:
        """The id of each element, in the tensor's shape."""
        held = self._held.get(_key(tensor))
        if held is None or held.itemsize != tensor.element_size():
            return torch.zeros(tensor.shape, dtype=torch.int64)
        ids = _in_storage_order(held) if held.ids is None else held.ids
        return ids.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())

    def only_run(self, tensor: torch.Tensor) -> int | None:
        """The first id, where the ids are consecutive in row-major order and that is seen at once."""
        held = self._held.get(_key(tensor))
        if held is None or held.ids is not None or held.itemsize != tensor.element_size():
            return None
        return (
            held.first + int(tensor.storage_offset()) if tensor.is_contiguous() and tensor.numel() else None
        )

    def lies_as_written(self, tensor: torch.Tensor) -> bool:
        """Whether the storage still holds what one step wrote into all of it."""
        held = self._held.get(_key(tensor))
        return held is not None and held.ids is None

    def steps(self, tensor: torch.Tensor) -> frozenset[int]:
        """The steps that computed the tensor's elements."""
        held = self._held.get(_key(tensor))
        if held is None or tensor.numel() == 0:
            return frozenset()
        if held.ids is None:
            return frozenset((self.step_of(held.first),))
        # Read by elements of another size, no element can be told from another: all of the storage counts.
        ids = held.ids if self.reads_as_other_type(tensor) else self.ids(tensor)
        owners = np.searchsorted(np.asarray(self.firsts), ids.reshape(-1).numpy(), side="right") - 1
        return (
            frozenset(np.flatnonzero(np.bincount(owners[owners >= 0])).tolist())
            if owners.size
            else frozenset()
        )

    def step_of(self, value: int) -> int:
        """The step that computed the value with this id."""
        return bisect_right(self.firsts, value) - 1

    def write(self, tensor: torch.Tensor, *, fresh: bool) -> int:
        """Gives every element of the tensor a new id, and says which step that is.

        Args:
            tensor: what the step computed.
            fresh: whether its storage is new; otherwise the rest of the storage keeps what it holds.
        """
        n_elements = _n_elements(tensor)
        whole = fresh or (tensor.numel() == n_elements and tensor.is_contiguous())
        first = self._next
        if whole:
            self._held[_key(tensor)] = _Held(tensor.untyped_storage(), tensor.element_size(), first)
            # Also for elements that the tensor does not show: ids follow from places in the storage.
            self._next += n_elements
        else:
            self._next += tensor.numel()
        self.firsts.append(first)
        if not whole:
            self.place(tensor, torch.arange(first, self._next).reshape(tensor.shape))
        return len(self.firsts) - 1

    def skip(self) -> None:
        """Counts a step that computes no tensor."""
        self.firsts.append(self._next)

    def place(self, tensor: torch.Tensor, ids: Ids | None) -> None:
        """Puts these ids at the tensor's elements; None says that they no longer depend on the input."""
        held = self._held.get(_key(tensor))
        if held is None and ids is None:
            return
        if held is None or held.itemsize != tensor.element_size():
            zeros = torch.zeros(_n_elements(tensor), dtype=torch.int64)
            held = _Held(tensor.untyped_storage(), tensor.element_size(), 0, zeros)
            self._held[_key(tensor)] = held
        if held.ids is None:
            held.ids = _in_storage_order(held)
        region = held.ids.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
        region.copy_(torch.zeros((), dtype=torch.int64) if ids is None else ids)


def _key(tensor: torch.Tensor) -> int:
    if tensor.layout is not torch.strided:
        extent = " x ".join(map(str, tensor.shape))
        raise UsageError(
            f"the network computes with a sparse tensor of {extent} numbers, which cannot be followed",
            hint="give forward() dense tensors (`to_dense()`)",
        )
    return int(tensor.untyped_storage()._cdata)


def _n_elements(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().nbytes() // tensor.element_size()


def _in_storage_order(held: _Held) -> Ids:
    return torch.arange(held.first, held.first + held.storage.nbytes() // held.itemsize)
