"""Rows: what a harvest gives and every analysis takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from polylens.records.codes import Codes

CLASS = "class"
"""Name of the targets that are the classes of examples."""

_PIECE = 1 << 26
"""Bytes of rows in double precision at once."""

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@dataclass(frozen=True)
class Origins:
    """Where each row comes from."""

    example: Int64[np.ndarray, "rows"]
    """Index of the example in the dataset."""
    position: Int64[np.ndarray, "rows"]
    """Raw position, flat in row-major order over `grid`; 0 where the row is a whole example."""
    grid: tuple[int, ...]
    """Extent of the layer's positions: (height, width), (tokens,), or () where a row is a whole example."""
    example_ids: tuple[str, ...]
    """Stable id of each example of the dataset (indexed by `example`)."""
    copy_of: Int64[np.ndarray, "examples"] | None = None
    """The first example of the dataset with the same input and class, of each example: itself where there is
    none before it. None where copies were not looked for."""

    @property
    def block(self) -> Int64[np.ndarray, "rows"]:
        """The example each row is of, all copies of one example by the first of them.

        Rows of one block go together in every split, permutation and resampling: they are one observation,
        however often it was copied.
        """
        return self.example if self.copy_of is None else self.copy_of[self.example]

    @property
    def n_copies(self) -> int:
        """How many of the rows' examples are copies of another one of them."""
        import numpy as np

        return len(np.unique(self.example)) - len(np.unique(self.block))


@dataclass(frozen=True)
class RowTokens:
    """The tokens that rows of text stand at."""

    vocabulary: Sequence[str]
    """Text of each token id."""
    current: Int64[np.ndarray, "rows"]
    """Token id at the row's position."""
    before: Int64[np.ndarray, "rows"]
    """The one before; -1 at the start."""
    after: Int64[np.ndarray, "rows"]
    """The one after; -1 at the end."""

    def take(self, index: Int64[np.ndarray, "chosen"]) -> RowTokens:
        """The tokens of chosen rows, in the order of `index`."""
        return replace(self, current=self.current[index], before=self.before[index], after=self.after[index])


@dataclass(frozen=True)
class RowTargets:
    """Classes of rows that are not those of their examples, such as the part of speech of a token's word."""

    values: Int64[np.ndarray, "rows"]
    """Class of each row, an index into `classes`."""
    classes: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Rows:
    """Sampled positions of a layer on a dataset. All arrays share the rows axis; absent parts are None."""

    layer: str
    origins: Origins
    activations: Float32[np.ndarray, "rows width"] | None = None
    codes: Codes | None = None
    targets: Int64[np.ndarray, "rows"] | None = None
    """Class of each row, an index into `classes`: its example's, or its own where `by_row`."""
    classes: tuple[str, ...] = ()
    by_row: bool = False
    """Whether rows of one example can differ in class, as the tags of its tokens do. Then chance is made by
    laying classes of whole examples over other rows, not by shuffling classes over examples."""
    tokens: RowTokens | None = None
    """None where rows are not of text."""

    def __len__(self) -> int:
        return len(self.origins.example)

    def __repr__(self) -> str:
        parts = [f"{len(self):,} rows of layer {self.layer}"]
        if self.activations is not None:
            parts.append(f"activations {self.activations.shape}")
        if self.codes is not None:
            parts.append(f"codes of {self.codes.scheme.units:,} units")
        if self.classes:
            parts.append(f"{len(self.classes)} classes")
        return f"Rows({', '.join(parts)})"

    def with_targets(self, targets: RowTargets) -> Rows:
        """The same rows with classes of their own in place of their examples'."""
        return replace(self, targets=targets.values, classes=targets.classes, by_row=True)

    def take(self, index: Int64[np.ndarray, "chosen"]) -> Rows:
        """The chosen rows, in the order of `index`."""
        codes = self.codes
        return replace(
            self,
            origins=replace(
                self.origins, example=self.origins.example[index], position=self.origins.position[index]
            ),
            activations=None if self.activations is None else self.activations[index],
            codes=None if codes is None else codes.take(index),
            targets=None if self.targets is None else self.targets[index],
            tokens=None if self.tokens is None else self.tokens.take(index),
        )


def row_pieces(rows: int, width: int) -> Iterator[slice]:
    """All rows, some at a time: so many that their numbers in double precision take 64 MB at most, or one.

    >>> [(some.start, some.stop) for some in row_pieces(3, 2**22)]
    [(0, 2), (2, 3)]
    """
    size = max(_PIECE // max(8 * width, 1), 1)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
