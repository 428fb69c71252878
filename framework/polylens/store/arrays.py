"""Arrays as `.npy` files, without pickle: written whole or row by row, read whole or memory-mapped."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np
from numpy.typing import DTypeLike


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes one array.

    Raises:
        OSError: with its number, such as that of a full disk; NumPy's own way to a file leaves it out.
    """
    with path.open("wb") as stream:
        np.lib.format.write_array(cast(BinaryIO, _Ordinary(stream)), array, allow_pickle=False)


class _Ordinary:
    """A stream that NumPy does not take for a file, so that it writes as everybody does."""

    def __init__(self, stream: BinaryIO) -> None:
        self.write = stream.write


def load_array(path: Path, *, mapped: bool = False) -> np.ndarray[Any, Any]:
    """Reads one array; `mapped` leaves it on disk until rows are touched."""
    if not mapped:
        return np.asarray(np.load(path, allow_pickle=False))
    try:
        return np.asarray(np.load(path, allow_pickle=False, mmap_mode="r"))
    except ValueError:
        # An array without elements cannot be mapped.
        return np.asarray(np.load(path, allow_pickle=False))


class ArrayWriter:
    """Writes an array of a known shape block by block, in flat memory.

    Blocks go through ordinary writes and not through a memory map, where a full disk would kill the process
    instead of raising an error.
    """

    def __init__(self, path: Path, *, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._path = path
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._rows = 0
        self._stream: BinaryIO = path.open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)

    def append(self, block: np.ndarray) -> None:
        """Writes the next rows.

        Raises:
            ValueError: the block's rows are of another shape or kind, or are too many.
        """
        if block.dtype != self._dtype or block.shape[1:] != self._shape[1:]:
            raise ValueError(
                f"{self._path.name} holds rows {self._shape[1:]} of {self._dtype}, "
                f"got rows {block.shape[1:]} of {block.dtype}"
            )
        self._rows += len(block)
        if self._rows > self._shape[0]:
            raise ValueError(f"{self._path.name} holds {self._shape[0]} rows, got {self._rows}")
        self._stream.write(np.ascontiguousarray(block).data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if error is None and self._rows != self._shape[0]:
            raise ValueError(f"{self._path.name} was to hold {self._shape[0]} rows, got {self._rows}")
