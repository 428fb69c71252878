"""The layers of a spec's network: names, shapes, and the nonlinearities whose units they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from polylens.dataflow import Flow, Nonlinearity
from polylens.errors import listed
from polylens.showing import html_table
from polylens.spec import Child, Study, is_glob
from polylens.study.checking import flow_of

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("layer", "alias", "width", "positions", "nonlinearity", "kinks")


@dataclass(frozen=True)
class Kinks:
    """One nonlinearity whose units stand in a layer."""

    name: str
    """Path of its module, or `path:operation`."""
    operation: str
    """Such as `relu` or `max_pool2d`."""
    kinks: tuple[float, ...]
    """Pre-activations at which a unit changes regime, ascending; empty for pools."""
    piecewise_linear: bool
    """Whether it is affine in each regime; of smooth units the sign is a proxy."""

    @property
    def in_words(self) -> str:
        """The operation with what its regimes are.

        >>> Kinks("act", "relu", (0.0,), True).in_words
        'relu: kink at 0'
        """
        if not self.kinks:
            return f"{self.operation}: which of the window wins"
        if not self.piecewise_linear:
            return f"{self.operation}: smooth"
        at = ", ".join(f"{kink:g}" for kink in self.kinks)
        return f"{self.operation}: kink{'s' * (len(self.kinks) > 1)} at {at}"


@dataclass(frozen=True)
class Layer:
    """One layer: what `layer:` of a spec can name."""

    name: str
    aliases: tuple[str, ...]
    """Short names that stand for it."""
    width: int
    """Channels at one position, which are the columns of its rows."""
    grid: tuple[int, ...]
    """Extent of its positions: (tokens,), (height, width), or () where a row is a whole example."""
    nonlinearities: tuple[Kinks, ...]
    """Those whose outputs it is, or the one that it is fed to; their units are what `units: own` reads."""
    is_asked_for: bool = False
    """Whether the spec names it."""


@dataclass(frozen=True)
class Layers:
    """The layers of one network, in the order in which they are computed."""

    model: str
    """What people call the model."""
    layers: tuple[Layer, ...]
    unusable: dict[str, str] = field(default_factory=dict, repr=False)
    """Modules whose output is no layer, and why."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for `layers --json`."""
        return asdict(self)

    def table(self) -> pd.DataFrame:
        """One row a layer, all texts: `layer`, `alias`, `width`, `positions`, `nonlinearity`, `kinks`."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()), columns=list(_COLUMNS))

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Layers of {self.model}: {listed([layer.name for layer in self.layers], most=8)}"

    def _repr_html_(self) -> str:
        """The table of layers, as notebooks show it."""
        return html_table(f"Layers of {self.model}", _COLUMNS, self._rows())

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for layer in self.layers:
            yield (
                layer.name,
                ", ".join(layer.aliases),
                f"{layer.width:,}",
                " x ".join(map(str, layer.grid)) or "whole examples",
                ", ".join(item.name for item in layer.nonlinearities),
                "; ".join(dict.fromkeys(item.in_words for item in layer.nonlinearities)),
            )


def layers_of(study: Study, *, marked: bool = True) -> tuple[Layers, ...]:
    """The layers of every network of a study, each network once, without its weights.

    Args:
        study: the spec; of a sweep over models each model is another network.
        marked: whether the layers that the spec names are marked as asked for.

    Raises:
        DataError: the files that say how a network is built cannot be had.
        UsageError: the network cannot compute on one input of the shape that it is said to take.
    """
    networks: dict[int, tuple[Flow, Child, set[str]]] = {}
    for child in study.children:
        flow = flow_of(child.experiment.model)  # the same object for the same architecture
        asked = networks.setdefault(id(flow), (flow, child, set()))[2]
        if marked and not is_glob(child.experiment.layer):
            asked.add(child.experiment.module_path)
    names = [child.names["model"] for _, child, _ in networks.values()]
    return tuple(
        Layers(
            name if names.count(name) == 1 else f"{name} of {child.name}",
            tuple(_layer(flow, layer, is_asked_for=layer in asked) for layer in flow.layers),
            dict(flow.unusable),
        )
        for name, (flow, child, asked) in zip(names, networks.values(), strict=True)
    )


def _layer(flow: Flow, name: str, *, is_asked_for: bool) -> Layer:
    shape = flow.layers[name]
    return Layer(
        name=name,
        aliases=tuple(alias for alias, layer in flow.aliases.items() if layer == name),
        width=shape.width,
        grid=shape.grid,
        nonlinearities=tuple(_kinks(item) for item in flow.own(name)),
        is_asked_for=is_asked_for,
    )


def _kinks(item: Nonlinearity) -> Kinks:
    return Kinks(item.name, item.operation, item.kinks, item.piecewise_linear)
