"""A spec that was read: what was written, what it means, and the children it stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from polylens.digests import digest
from polylens.errors import Place, Problem, SpecError, listed, shown_path
from polylens.spec.experiment import Experiment
from polylens.spec.identity import experiment_digest
from polylens.spec.layers import expand_layers, is_glob


@dataclass(frozen=True)
class Child:
    """One sweep point on one layer: an experiment with nothing left to vary."""

    name: str
    """The spec's file name, with what was swept, such as `pair-density layer=hidden.1`."""
    experiment: Experiment
    point: Mapping[str, Any]
    """Values of the swept keys (and of `layer`, where the spec names several), as written."""
    names: Mapping[str, str]
    """What people call the model, the dataset, the sampling rule and the code: a registry name, or a kind."""


@dataclass(frozen=True)
class Origin:
    """One value of a resolved spec, and where it came from."""

    path: str
    value: Any
    place: Place | None
    """None where nobody wrote the value: it is a default."""

    @property
    def where(self) -> str:
        """The place in words."""
        place = self.place
        return "default" if place is None else f"{place.file}:{place.line}:{place.column}"


@dataclass(frozen=True, repr=False)
class Study:
    """A spec with its children."""

    name: str
    """The spec's file name without ending."""
    source: Path | None
    """The spec's file; None for a spec from Python."""
    written: str
    """The spec as it was written."""
    resolved: dict[str, Any]
    """The spec with every name looked up and every default filled in; swept values stand as written."""
    children: tuple[Child, ...]
    overrides: tuple[str, ...]
    """What `--set` changed, as given."""
    project: Path | None
    """Folder of the nearest `mlflow.yaml` above the spec."""
    place_of: Callable[[str], Place] = field(repr=False, compare=False)
    """Where the value at a dotted path is written, or the nearest value above it."""
    origins: Callable[[], tuple[Origin, ...]] = field(repr=False, compare=False)
    """Every value of the resolved spec with where it came from."""

    def __repr__(self) -> str:
        names = listed([child.name for child in self.children], most=4)
        source = "from Python" if self.source is None else shown_path(self.source)
        return f"Study({source}: {names})"

    def place_of_change(self, key: str) -> Place:
        """The place of the first override below a key, such as of `dataset.root`, or else of the key."""
        names = (text.partition("=")[0].strip() for text in self.overrides)
        return self.place_of(next((name for name in names if name.startswith(f"{key}.")), key))

    def with_layers(self, names_of: Callable[[Experiment], Iterable[str]]) -> Study:
        """The study with every layer pattern that needed the built network replaced by the layers it fits.

        Args:
            names_of: the module paths of an experiment's network.

        Raises:
            SpecError: a pattern fits no layer.
        """
        if not any(is_glob(child.experiment.layer) for child in self.children):
            return self
        children: list[tuple[Experiment, Mapping[str, Any], Mapping[str, str]]] = []
        for child in self.children:
            known = tuple(names_of(child.experiment))
            layers = expand_layers(child.experiment, known)
            if not layers:
                note = f"layers: {', '.join(known)}"
                message = f"no layer fits '{child.experiment.layer}'"
                raise SpecError([Problem(message, self.place_of("layer"), "layer", None, (note,))])
            children += [
                (
                    child.experiment.model_copy(update={"layer": layer}),
                    {**child.point, "layer": layer},
                    child.names,
                )
                for layer in layers
            ]
        return replace(self, children=named_children(self.name, children))


def spec_digest(child: Child) -> str:
    """The digest of a child: its scientific fields and the names its numbers carry."""
    return experiment_digest(child.experiment)


def named_children(
    stem: str, children: Sequence[tuple[Experiment, Mapping[str, Any], Mapping[str, str]]]
) -> tuple[Child, ...]:
    """Children with names that tell them apart."""
    # Several layers may hold one that is swept as well, or one layer that several patterns fit.
    unique = {
        digest([dict(point), experiment.layer]): (experiment, point, names)
        for experiment, point, names in children
    }
    return tuple(
        Child(name=_name(stem, point), experiment=experiment, point=point, names=names)
        for experiment, point, names in unique.values()
    )


def _name(stem: str, point: Mapping[str, Any]) -> str:
    lasts = Counter(key.rpartition(".")[2] for key in point)
    parts = []
    for key, value in point.items():
        last = key.rpartition(".")[2]
        parts.append(f"{last if lasts[last] == 1 else key}={_value_in_name(value)}")
    return " ".join([stem, *parts])


def _value_in_name(value: Any) -> str:
    if isinstance(value, Mapping):
        name = value.get("use") or value.get("kind") or "map"
        return str(name) if len(value) == 1 else f"{name}-{digest(dict(value))[:6]}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_value_in_name, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
