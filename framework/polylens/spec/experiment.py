"""The checked form of a spec: one experiment on one layer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from polylens.analyses import Analysis
from polylens.codes import Code
from polylens.controls import Control
from polylens.datasets import Dataset
from polylens.labels import Label
from polylens.models import Model
from polylens.sampling import Sampling
from polylens.scores import Score

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def _as_lines(value: Any) -> Any:
    """One line, or a list of them, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


_Line = Annotated[str, Field(min_length=1)]
_Lines = Annotated[
    tuple[_Line, ...],
    BeforeValidator(_as_lines, json_schema_input_type=_Line | Annotated[list[_Line], Field(min_length=1)]),
]


class Heading(BaseModel):
    """What a spec says about itself, and the values that stand alone."""

    model_config = _STRICT

    version: Literal[1] = 1
    """Version of the grammar the spec is written in."""
    about: str = Field(min_length=1)
    """What is done, and which settings are the paper's and which ours."""
    claim: str = Field(min_length=1)
    """What the experiment tests, and what would refute it."""
    refuted_if: _Lines = ()
    """What would refute the claim, as a comparison of named numbers, or a list of which any refutes it."""
    seed: int = Field(ge=0)
    """All randomness follows from it."""
    layer: str = Field(min_length=1)
    """A module path of the network, an alias the model gives, `input` or `output`."""


class NamedControl(BaseModel):
    """A control and the name its numbers carry."""

    model_config = _STRICT

    name: str
    """The key it stands under in the spec, or else its registry name or its kind."""
    control: Control
    """The control itself."""


class Experiment(Heading):
    """One experiment on one layer: every name looked up, every default filled in, every value checked."""

    model: Model
    """The network."""
    dataset: Dataset
    """The examples."""
    sampling: Sampling | None = None
    """Which positions of an example become rows; left out where the layer has no positions."""
    code: Code | None = None
    """Which units' regimes are read; left out where nothing reads codes."""
    controls: tuple[NamedControl, ...] = ()
    """Changed networks on which everything is done as well, for comparison."""
    analyses: dict[str, Analysis] = Field(min_length=1)
    """What is computed from the rows, by name."""
    labels: dict[str, Label] = Field(default_factory=dict)
    """What names the clusters, by name."""
    scores: dict[str, Score] = Field(default_factory=dict)
    """How good the names are on rows that they were not made of, by name."""

    @property
    def module_path(self) -> str:
        """The module path that `layer` stands for: an alias looked up, or else `layer` itself."""
        return self.model.aliases().get(self.layer, self.layer)

    @property
    def takes_whole_examples(self) -> bool:
        """Whether a row is a whole example rather than a position, since its code is of all positions."""
        return self.code is not None and self.code.positions == "all"

    def to_plain(self) -> dict[str, Any]:
        """The experiment as plain data: a spec that loads to the same experiment and needs no registry."""
        plain: dict[str, Any] = {
            name: getattr(self, name) for name in Heading.model_fields if name not in ("layer", "refuted_if")
        }
        if self.refuted_if:
            plain["refuted_if"] = self.refuted_if[0] if len(self.refuted_if) == 1 else list(self.refuted_if)
        plain |= {"model": self.model.to_plain(), "layer": self.layer, "dataset": self.dataset.to_plain()}
        if self.sampling is not None:
            plain["sampling"] = self.sampling.to_plain()
        if self.code is not None:
            plain["code"] = self.code.to_plain()
        if self.controls:
            plain["controls"] = {named.name: named.control.to_plain() for named in self.controls}
        plain["analyses"] = {name: analysis.to_plain() for name, analysis in self.analyses.items()}
        if self.labels:
            plain["labels"] = {name: label.to_plain() for name, label in self.labels.items()}
        if self.scores:
            plain["scores"] = {name: score.to_plain() for name, score in self.scores.items()}
        return plain


SINGLE: dict[str, type[Model | Dataset | Sampling | Code]] = {
    "model": Model,
    "dataset": Dataset,
    "sampling": Sampling,
    "code": Code,
}
"""Keys of a spec that hold one member of a family."""
NAMED: dict[str, type[Control | Analysis | Label | Score]] = {
    "controls": Control,
    "analyses": Analysis,
    "labels": Label,
    "scores": Score,
}
"""Keys of a spec that hold several, by name."""
OPTIONAL = ("version", "refuted_if", "sampling", "code", "controls", "labels", "scores", "sweep", "extends")
"""Keys a spec can leave out."""
KEYS = (
    "version",
    "extends",
    "about",
    "claim",
    "refuted_if",
    "seed",
    "model",
    "layer",
    "dataset",
    "sampling",
    "code",
    "controls",
    "analyses",
    "labels",
    "scores",
    "sweep",
)
"""All keys at the top of a spec, in the order they are written."""
