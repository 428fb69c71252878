"""Codes of rows: spline codes packed to bits, or graded values of smooth units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from polylens.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64, UInt8


@dataclass(frozen=True)
class CodeLayer:
    """One nonlinearity's part of a code.

    Each unit's regime is written in `bits_per_unit` bits: 1 for ReLU-like units (pre-activation above the
    kink), 2 for hard-tanh-like units (above the lower, above the upper kink), the window's size for the
    winner of a max-pooling window (one-hot). In a graded code each unit is one number, without bits.
    """

    name: str
    """Where the nonlinearity stands, such as `hidden.3.activation`."""
    units: int
    """Units (for pooling: windows) whose regime is encoded."""
    bits_per_unit: int = 1
    kind: str = "sign"
    """`sign`, `winner` for max-pooling, or `gate` or `slope` of a graded code."""

    @property
    def is_graded(self) -> bool:
        """Whether each unit is a number in 32 bits."""
        return self.kind in ("gate", "slope")

    @property
    def bits(self) -> int:
        """Bits of this layer in the code; none in a graded one."""
        return 0 if self.is_graded else self.units * self.bits_per_unit

    @property
    def width(self) -> int:
        """Columns of this layer in `Codes.values`: numbers, or bytes padded with zeros to whole ones."""
        return self.units if self.is_graded else -(-self.bits // 8)

    @property
    def n_bytes(self) -> int:
        """Bytes of this layer in one row."""
        return 4 * self.width if self.is_graded else self.width

    @property
    def flips_per_unit(self) -> int:
        """Bits that differ where one unit is in another regime (at most: 2 for a winner)."""
        return 2 if self.kind == "winner" else self.bits_per_unit


@dataclass(frozen=True)
class CodeScheme:
    """What a code means: which units, in which order, and whether it names polytopes."""

    layers: tuple[CodeLayer, ...]
    names_polytopes: bool
    reason: str
    """Why the code names polytopes, or why it does not; one sentence for captions."""
    metric: str = "hamming"
    """What codes are compared by: `hamming`, or `l1` for graded ones."""
    is_proxy: bool = False
    """Whether units are smooth or gated, so that a hard code only approximates what they do."""

    @property
    def is_graded(self) -> bool:
        """Whether units are numbers rather than bits."""
        return any(layer.is_graded for layer in self.layers)

    @property
    def width(self) -> int:
        """Columns of `Codes.values`."""
        return sum(layer.width for layer in self.layers)

    @property
    def n_bytes(self) -> int:
        """Bytes of one row."""
        return sum(layer.n_bytes for layer in self.layers)

    @property
    def bits(self) -> int:
        """Bits of all layers together, without the padding between them."""
        return sum(layer.bits for layer in self.layers)

    @property
    def units(self) -> int:
        """Units of all layers together."""
        return sum(layer.units for layer in self.layers)

    def columns(self) -> tuple[slice, ...]:
        """The columns of each layer in `Codes.values`."""
        edges = (0, *accumulate(layer.width for layer in self.layers))
        return tuple(slice(int(a), int(b)) for a, b in pairwise(edges))


@dataclass(frozen=True)
class Explained:
    """How much of smooth units' output is explained by their hard form: `z` above zero, else nothing.

    Explained variance is 1 less the summed squared error over the summed squared distance from each unit's
    mean: 1 where units are ReLUs, below 0 where their mean would be nearer.
    """

    variance: float
    """Over all units together."""
    median_unit_variance: float
    """Of the middle unit, of those that vary."""
    units: int
    """Units that were looked at: those near `max(z, 0)` far from zero."""
    products: int
    """Units that are gates, looked at with what they multiply."""
    variance_limits: tuple[float, float] | None = None
    """A 90 % interval of `variance`; None where there are too few examples for one."""
    median_unit_limits: tuple[float, float] | None = None
    """Range of `median_unit_variance`."""


@dataclass(frozen=True)
class Codes:
    """The codes of rows.

    Hard codes are a packed row of bits each, most significant bit first (NumPy's `packbits`), each layer from
    a byte of its own. Graded ones are a number a unit, in the 32 bits that clusterings read from a mapped
    file as they are; in 16 bits, gates near 1 would become equal, and a clustering would widen a copy.
    """

    values: UInt8[np.ndarray, "rows bytes"] | Float32[np.ndarray, "rows units"]
    scheme: CodeScheme
    near_boundary_fraction: float = 0.0
    """Share of units whose pre-activation is within the numerical noise of the precision used."""
    explained: Explained | None = None
    """None where all units are piecewise linear, or none has a hard form."""

    @property
    def packed(self) -> UInt8[np.ndarray, "rows bytes"]:
        """The bits of a hard code.

        Raises:
            DataError: the code is graded.
        """
        if self.scheme.is_graded:
            raise DataError(
                "this needs the bits of a hard code, and these codes are graded",
                hint="give the spec a code of kind sign, or cluster graded codes with hdbscan or kmeans",
            )
        return self.values

    @property
    def graded(self) -> Float32[np.ndarray, "rows units"]:
        """The numbers of a graded code.

        Raises:
            DataError: the code is hard.
        """
        if not self.scheme.is_graded:
            raise DataError(
                "this needs a graded code, and these are bits", hint="give the spec a code of kind gate"
            )
        return self.values

    def take(self, index: Int64[np.ndarray, "chosen"]) -> Codes:
        """The codes of chosen rows, in the order of `index`."""
        return replace(self, values=self.values[index])
