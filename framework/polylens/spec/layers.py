"""The `layer` of a spec: one name, a list, or a pattern over the names a model knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from polylens.errors import Place, Problem, listed, nearest
from polylens.models import Model
from polylens.spec.complaints import in_plain_words
from polylens.spec.experiment import Experiment
from polylens.spec.ledger import Ledger, Value, items_of


@dataclass(frozen=True)
class Pattern:
    """One layer as it was written."""

    text: str
    place: Place | None = None

    @property
    def is_glob(self) -> bool:
        """Whether it stands for every name that fits."""
        return is_glob(self.text)


def is_glob(layer: str) -> bool:
    """Whether a layer is a pattern such as `hidden.*`."""
    return any(character in layer for character in "*?[")


def patterns_of(value: Value | None, *, ledger: Ledger) -> tuple[tuple[Pattern, ...], list[Problem]]:
    """The layers written under `layer`; none where the key is missing or null, which is said elsewhere."""
    if value is None or (isinstance(value, int) and ledger[value].value is None):
        return (), []
    listed = isinstance(value, dict) and ledger.shape(value) == "list"
    items = [item for _, item in items_of(value)] if isinstance(value, dict) and listed else [value]
    patterns: dict[str, Pattern] = {}
    problems = []
    for number, item in enumerate(items):
        text, place = ledger.text(item), ledger.place(item)
        path = f"layer[{number}]" if listed else "layer"
        if not text:
            given = in_plain_words(ledger.plain(item)) if text is None else "an empty text"
            problems.append(Problem(f"{path} must be the name of a layer, not {given}", place, path))
        elif text in patterns:
            problems.append(Problem(f"the layer '{text}' is given twice", place, path))
        else:
            patterns[text] = Pattern(text, place)
    if not items:
        problems.append(Problem("layer lists nothing", ledger.place(value), "layer"))
    return tuple(patterns.values()), problems


def known_layers(model: Model) -> tuple[str, ...] | None:
    """Names that `layer` can take, known without building the network; None where it takes building."""
    layers = model.layers()
    if layers is None:
        return None
    return tuple(dict.fromkeys(("input", *model.aliases(), *layers, "output")))


def expanded_layers(
    patterns: Sequence[Pattern], *, model: Model, known: Sequence[str] | None
) -> tuple[tuple[str, ...], list[Problem]]:
    """The layers that patterns stand for, in the order written and, within a pattern, the network's.

    Args:
        patterns: the layers as the spec writes them.
        model: gives the aliases, of which each stands for its layer once.
        known: the network's layers; None leaves patterns as they are and names unchecked.
    """
    layers: dict[str, None] = {}
    problems = []
    for pattern in patterns:
        if known is None:
            layers[pattern.text] = None
        elif pattern.is_glob:
            fitting = _fitting_names(pattern.text, model=model, known=known)
            layers |= dict.fromkeys(fitting)
            if not fitting:
                problems.append(_unknown_layer(f"no layer fits '{pattern.text}'", pattern, known))
        elif pattern.text in known:
            layers[pattern.text] = None
        else:
            problems.append(_unknown_layer(f"the model has no layer '{pattern.text}'", pattern, known))
    return tuple(layers), problems


def expand_layers(experiment: Experiment, names: Iterable[str]) -> tuple[str, ...]:
    """The layers that an experiment's pattern stands for among a built network's own names."""
    aliases = experiment.model.aliases()
    known = tuple(dict.fromkeys(("input", *aliases, *names, "output")))
    if not is_glob(experiment.layer):
        return (experiment.layer,)
    return _fitting_names(experiment.layer, model=experiment.model, known=known)


def _fitting_names(pattern: str, *, model: Model, known: Sequence[str]) -> tuple[str, ...]:
    """Names that fit, an alias only where its own layer does not fit too."""
    aliases = model.aliases()
    fitting = [name for name in known if fnmatchcase(name, pattern)]
    return tuple(name for name in fitting if aliases.get(name, name) == name or aliases[name] not in fitting)


def _unknown_layer(message: str, pattern: Pattern, known: Sequence[str]) -> Problem:
    suggestion = None if pattern.is_glob else _nearest(pattern.text, known)
    return Problem(message, pattern.place, "layer", suggestion, (f"layers: {listed(known)}",))


def _nearest(layer: str, known: Sequence[str]) -> str | None:
    """The known layer most like one; of a block that is not there, the last or first block that is.

    >>> _nearest("mlp_pre.12", ["mlp_pre.1", "mlp_pre.2", "mlp_pre.11"])
    'mlp_pre.11'
    """
    stem, _, number = layer.rpartition(".")
    blocks = [name for name in known if name.rpartition(".")[0] == stem and _is_number(name)]
    if not (stem and blocks and number.isdecimal()):
        return nearest(layer, known)
    return min(blocks, key=lambda name: abs(int(name.rpartition(".")[2]) - int(number)))


def _is_number(layer: str) -> bool:
    return layer.rpartition(".")[2].isdecimal()
