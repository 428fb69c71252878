"""The network run with its rows' activations changed, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, Shaped

from polylens.analyses import Probed
from polylens.dataflow import Changing, Nonlinearity, Passes, capture, trace, without_biases
from polylens.errors import DataError, UsageError
from polylens.modules import copy_module
from polylens.records import Rows

RowChange = Callable[
    [Float[torch.Tensor, "batch parts width"], Int64[np.ndarray, "batch"]],
    Float[torch.Tensor, "batch parts width"],
]
"""Gives the new values of some rows, whose numbers it is told; parts as in `polylens.dataflow.Change`."""

_BUDGET = 2.0**29
"""Bytes that the tensors of one batch of passes may take, by estimate."""


@dataclass(frozen=True)
class Reached:
    """What one batch of rows came to. The first axis counts changes; the first of them changes nothing."""

    rows: Int64[np.ndarray, "batch"]
    regimes: dict[str, Shaped[np.ndarray, "changes batch units"]]
    """Regime of each unit, or winner of each pooling window, by the name of the later nonlinearity."""
    activations: dict[str, Float[np.ndarray, "changes batch numbers"]]
    """What units give, by the name of the later nonlinearity; and what further layers give, by theirs."""
    output: Float[np.ndarray, "changes batch numbers"]


class Intervention:
    """A network in double precision, to be run with rows' activations changed.

    A row is changed where it stands: a whole example's tensor, a token's vector, one spatial position. Later
    layers and the output are read at the row's own token where positions are tokens, else as wholes.

    Raises:
        DataError: the rows cannot be changed, or nothing follows from them.
    """

    def __init__(
        self,
        probed: Probed,
        rows: Rows,
        *,
        layers: Sequence[str] = (),
        reads_units: bool = True,
        everywhere: bool = False,
        biases: bool = True,
        holds_norms: bool = False,
    ) -> None:
        """
        Args:
            probed: whose network is run; a copy of it is changed.
            rows: of its layer.
            layers: further later layers that are read; aliases are understood.
            reads_units: whether later units are read.
            everywhere: whether the layer's whole tensor is changed also where rows are positions.
            biases: whether the network keeps its biases.
            holds_norms: whether norms keep the scale they have where nothing is changed.
        """
        module = copy_module(probed.network.module).double()
        self.module = module if biases else without_biases(module)
        self.probed = probed
        self._rows = rows
        first = next(self.module.parameters(), None)
        self._device = torch.device("cpu") if first is None else first.device
        example = probed.network.example_input
        example = self._inputs([0]) if example is None else self._to_device(example)
        self.flow = trace(self.module, example, aliases=probed.network.aliases)
        self.layer = self.flow.resolve(probed.layer)
        self.is_text = not example.is_floating_point()
        shape = self.flow.layers[self.layer]
        self.of_tokens = bool(rows.origins.grid) and len(shape.grid) == 1 and not shape.channels_first
        self._positions = bool(rows.origins.grid) and not everywhere
        self._holds_norms = holds_norms
        try:
            later = self.flow.between(self.layer, "output")
        except UsageError as error:
            raise DataError(f"changing '{probed.layer}' changes nothing: {error}") from None
        if self.is_text and (not self.of_tokens or self.layer == "input"):
            raise DataError(
                f"the activations of '{probed.layer}' are not changed: it needs rows that are single tokens",
                hint="take a layer of the network and give the spec a 'sampling'",
            )
        self.later: tuple[Nonlinearity, ...] = later if reads_units else ()
        self._layers = tuple(dict.fromkeys(self.flow.resolve(name) for name in layers))
        self._changing = Changing(
            self.module, self.flow, self.layer, layers=self._layers, nonlinearities=self.later
        )

    @property
    def output_is(self) -> Literal["logits", "vector"]:
        """Whether the output is logits: of classes, or of the tokens of the vocabulary."""
        shape = self.flow.layers["output"]
        if self._rows.tokens is None:
            return "vector" if shape.grid else "logits"
        return "logits" if shape.width >= len(self._rows.tokens.vocabulary) else "vector"

    @property
    def why_proxy(self) -> str:
        """Why regimes of later units do not decide what follows; empty where they do."""
        smooth = [item for item in self.later if not item.piecewise_linear]
        if smooth:
            more = f" (and {len(smooth) - 1} more)" if len(smooth) > 1 else ""
            return f"{smooth[0].operation} at '{smooth[0].name}'{more} is smooth: its sign is a proxy"
        obstacles = self.flow.obstacles(self.layer, "output")
        return obstacles[0] if obstacles else ""

    @property
    def where(self) -> str:
        """What is changed and where what follows is read, as a sentence for captions."""
        changed = "One position of the layer" if self._positions else "The layer's whole tensor"
        read = "at the row's own token" if self.of_tokens else "everywhere"
        return f"{changed} is changed; later units and the output are read {read}."

    def batches(self, chosen: Int64[np.ndarray, "chosen"], changes: Sequence[RowChange]) -> Iterator[Reached]:
        """What the chosen rows come to under each change, after no change."""
        origins = self._rows.origins
        chosen = chosen[np.argsort(origins.example[chosen], kind="stable")]
        size = max(1, int(_BUDGET / self._bytes(chosen) / (len(changes) + 1)))
        groups = [chosen]
        if self.is_text:
            edges = np.flatnonzero(np.diff(origins.example[chosen])) + 1
            groups = np.split(chosen, edges)
        for group in groups:
            for start in range(0, len(group), size):
                yield self._batch(group[start : start + size], changes)

    @property
    def vertices(self) -> int:
        """How many points of the layer may be walked on together, by estimate of what they take."""
        widest = max(shape.size for name, shape in self.flow.layers.items() if name != "output")
        return int(min(max(_BUDGET / (32 * widest), 16), 4096))

    def inputs_of(self, row: int) -> Shaped[torch.Tensor, "1 ..."]:
        """The input of a row's example."""
        return self._inputs([int(self._rows.origins.example[row])])

    def whole(self, row: int) -> Float64[torch.Tensor, "..."]:
        """The layer's whole tensor for a row's example, as the network gives it."""
        inputs = self.inputs_of(row)
        if self.layer == "input":
            return inputs[0]
        tensors: list[torch.Tensor] = []
        with torch.no_grad():
            capture(
                self.module,
                inputs,
                layers=[self.layer],
                nonlinearities=[],
                take=lambda _, tensor: tensors.append(tensor[0].clone()),
            )
        return tensors[0]

    def scale(
        self, whole: Float64[torch.Tensor, "..."], *, row: int, factor: float
    ) -> Float64[torch.Tensor, "..."]:
        """A whole tensor, scaled where the row stands."""
        if not self._positions:
            return whole * factor
        channels_first = self.flow.layers[self.layer].channels_first
        new = whole.clone()
        rows = new.flatten(1).T if channels_first else new
        rows[int(self._rows.origins.position[row])] *= factor
        return new

    def _batch(self, rows: Int64[np.ndarray, "batch"], changes: Sequence[RowChange]) -> Reached:
        origins = self._rows.origins
        examples, example_of = np.unique(origins.example[rows], return_inverse=True)
        inputs = self._inputs(examples.tolist())
        position = torch.from_numpy(np.tile(origins.position[rows], len(changes) + 1))
        if self.is_text and self.probed.network.is_causal:
            # No token is changed by what comes after it.
            inputs = inputs[:, : int(position.max()) + 1]
        passes = Passes(
            torch.from_numpy(np.tile(example_of, len(changes) + 1)),
            position if self._positions else None,
            position if self.of_tokens else None,
            torch.arange(len(rows)).repeat(len(changes) + 1) if self._holds_norms else None,
        )

        def change(values: torch.Tensor) -> torch.Tensor:
            every = range(0, len(values), max(len(rows), 1))
            own, *others = (values[start : start + len(rows)] for start in every)
            changed = (one(part, rows) for one, part in zip(changes, others, strict=False))
            return torch.cat([own, *changed])

        passed = self._changing.run(inputs, passes, change)
        by_change = len(changes) + 1
        activations = {name: _by_change(values, by_change) for name, values in passed.layers.items()}
        regimes = {}
        for item in self.later:
            read = passed.read[item.name]
            regimes[item.name] = _by_change(_regime(read, item), by_change)
            if item.role == "units":
                values = read if item.function is None else item.function.value(read)
                activations[item.name] = _by_change(values, by_change)
        return Reached(rows, regimes, activations, _by_change(passed.output, by_change))

    def _inputs(self, examples: Sequence[int]) -> torch.Tensor:
        return self._to_device(self.probed.examples.batch(examples))

    def _to_device(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.to(self._device, torch.float64 if inputs.is_floating_point() else inputs.dtype)

    def _bytes(self, chosen: Int64[np.ndarray, "chosen"]) -> float:
        """What one pass takes, roughly: a few of the largest tensors at once, and what is kept."""
        lengths = self.probed.examples.lengths()
        tokens = 0
        if lengths is not None:
            tokens = int(lengths[self._rows.origins.example[chosen]].max(initial=1))
        elif self.of_tokens:
            tokens = self._rows.origins.grid[0]
        sizes = [
            shape.width * (tokens if self.of_tokens and shape.grid else shape.n_positions)
            for name, shape in self.flow.layers.items()
            if name != "output"
        ]
        kept = [item.shape.width if self.of_tokens else item.shape.size for item in self.later]
        return 8.0 * (4 * max(sizes) + 3 * sum(kept) + 3 * self.flow.layers["output"].width)


def chosen_rows(rows: Rows, *, most: int, generator: np.random.Generator) -> Int64[np.ndarray, "chosen"]:
    """Rows drawn at random, ascending; all where there are no more."""
    if not len(rows):
        raise DataError("there are no rows to change")
    if most >= len(rows):
        return np.arange(len(rows), dtype=np.int64)
    return np.sort(generator.choice(len(rows), size=most, replace=False)).astype(np.int64)


def _by_change(values: torch.Tensor, changes: int) -> Shaped[np.ndarray, "changes batch numbers"]:
    return values.reshape(changes, -1, values.shape[-1]).cpu().numpy()


def _regime(
    read: Shaped[torch.Tensor, "passes units"], item: Nonlinearity
) -> Shaped[torch.Tensor, "passes units"]:
    if item.role == "pool":
        return read.to(torch.int16)
    return torch.stack([read > kink for kink in item.kinks]).sum(0).to(torch.int8)
