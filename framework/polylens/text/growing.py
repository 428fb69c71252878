"""An array on disk whose length is known when the last row is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike


class GrowingArray:
    """Writes an `.npy` file row by row, in flat memory."""

    def __init__(self, path: Path, *, dtype: DTypeLike, width: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._row = () if width is None else (width,)
        self._rows = 0
        self._stream = path.open("wb")
        self._write_header()

    def append(self, block: np.ndarray) -> None:
        """Writes the next rows."""
        if block.dtype != self._dtype or block.shape[1:] != self._row:
            raise ValueError(f"rows are {self._row} of {self._dtype}, got {block.shape[1:]} of {block.dtype}")
        self._rows += len(block)
        self._stream.write(np.ascontiguousarray(block).data)

    def finish(self) -> None:
        """Says in the file how many rows there are, and closes it."""
        end = self._stream.tell()
        length = end - self._rows * int(np.prod(self._row, dtype=int)) * self._dtype.itemsize
        self._stream.seek(0)
        self._write_header()
        # NumPy leaves room in the header for the first axis to grow.
        assert self._stream.tell() == length
        self.close()

    def close(self) -> None:
        """Closes the file as it is: without `finish` it says that there are no rows."""
        self._stream.close()

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._rows, *self._row),
        }
        np.lib.format.write_array_header_1_0(self._stream, header)
