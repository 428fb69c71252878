"""One point of a study checked: its values by their kinds, its references, its layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from polylens.analyses import NETWORK, RAW_INPUTS, Analysis
from polylens.catalog import Catalog
from polylens.codes import Code
from polylens.controls import Control
from polylens.datasets import Dataset
from polylens.errors import Problem, nearest
from polylens.labels import Label
from polylens.models import Model
from polylens.plugin import Plugin
from polylens.sampling import Sampling
from polylens.scores import Score
from polylens.spec.complaints import in_plain_words, problems_of
from polylens.spec.expanding import Expansion, display_name, expand
from polylens.spec.experiment import KEYS, NAMED, OPTIONAL, SINGLE, Experiment, Heading, NamedControl
from polylens.spec.given import is_given, name_of, problems_with_given
from polylens.spec.layers import Pattern, patterns_of
from polylens.spec.ledger import MARK, Ledger, Path, Tree, Value, items_of
from polylens.spec.names import control_names, name_problems

RESERVED = (NETWORK, RAW_INPUTS)


@dataclass
class Parts:
    """What of one point could be read; anything wrong is missing here and said in `problems`."""

    tree: Tree
    """The point with every name looked up."""
    written: Tree = field(default_factory=dict)
    """The point as it was written: names of the registry are names here."""
    problems: list[Problem] = field(default_factory=list)
    heading: Heading | None = None
    single: dict[str, Plugin] = field(default_factory=dict)
    """By key of the spec: model, dataset, sampling, code."""
    named: dict[str, dict[str, Plugin]] = field(default_factory=lambda: {key: {} for key in NAMED})
    """By key of the spec (controls, analyses, labels, scores) and name."""
    layers: tuple[Pattern, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    """What people call the model, the dataset, the sampling rule and the code."""

    def experiment(self) -> Experiment:
        """The checked experiment; only to be asked for where there are no problems."""
        assert self.heading is not None
        return Experiment(
            **self.heading.model_dump(),
            model=cast(Model, self.single["model"]),
            dataset=cast(Dataset, self.single["dataset"]),
            sampling=cast("Sampling | None", self.single.get("sampling")),
            code=cast("Code | None", self.single.get("code")),
            controls=tuple(
                NamedControl(name=name, control=cast(Control, control))
                for name, control in self.named["controls"].items()
            ),
            analyses=cast("dict[str, Analysis]", self.named["analyses"]),
            labels=cast("dict[str, Label]", self.named["labels"]),
            scores=cast("dict[str, Score]", self.named["scores"]),
        )


@dataclass(frozen=True)
class Member:
    """One family value, read."""

    tree: Value
    plugin: Plugin | None
    problems: tuple[Problem, ...]


Memory = dict[tuple[Path, str], Member]
"""Family values that were read, by path and tokens: the points of a sweep share most of theirs."""


def parts_of(
    tree: Tree, *, catalog: Catalog, ledger: Ledger, memory: Memory, model: Model | None = None
) -> Parts:
    """Everything in one point of a study, read and checked by itself.

    Args:
        tree: the point, with its sweep taken out.
        catalog: where names are looked up.
        ledger: the ledger of `tree`.
        memory: what was read of other points of the same study.
        model: a model from Python that takes the place of the spec's.
    """
    return _Reader(tree, catalog=catalog, ledger=ledger, memory=memory, model=model).read()


class _Reader:
    def __init__(
        self, tree: Tree, *, catalog: Catalog, ledger: Ledger, memory: Memory, model: Model | None
    ) -> None:
        self.catalog = catalog
        self.ledger = ledger
        self.memory = memory
        self.model = model
        self.parts = Parts(dict(tree))

    def read(self) -> Parts:
        parts = self.parts
        self._top_keys()
        parts.layers, problems = patterns_of(parts.tree.get("layer"), ledger=self.ledger)
        parts.problems += problems
        self._read_heading()
        for key, family in SINGLE.items():
            if key == "model" and self._reads_given():
                continue
            if (value := self._value_of(key)) is not None:
                parts.names[key] = display_name(value, ledger=self.ledger) or key
                self._member(value, cast("type[Plugin]", family), path=(key,), into=parts.single, name=key)
        self._named_controls()
        parts.written = dict(parts.tree)
        for key, several in NAMED.items():
            self._members(key, cast("type[Plugin]", several))
        return parts

    def _reads_given(self) -> bool:
        """Takes a model from Python, or says that none came; whether the spec's model is done with."""
        value = self._value_of("model")
        is_given_here = is_given(value, ledger=self.ledger)
        if value is not None and is_given_here:
            has_module = self.model is not None
            self.parts.problems += problems_with_given(value, has_module=has_module, ledger=self.ledger)
        if self.model is not None:
            self.parts.single["model"] = self.model
            self.parts.names["model"] = name_of(value, self.model, ledger=self.ledger)
        return self.model is not None or is_given_here

    def _top_keys(self) -> None:
        tree = self.parts.tree
        misspelt = set()
        for key, value in items_of(tree):
            if key not in KEYS:
                notes = (_ELSEWHERE.get(key, f"allowed: {', '.join(KEYS)}"),)
                place = self.ledger.place(value, key=True)
                suggestion = nearest(key, KEYS)
                misspelt.add(suggestion)
                self._refuse(Problem(f"unknown key '{key}' in the spec", place, key, suggestion, notes))
        for key in KEYS:
            needed = key not in (*OPTIONAL, *misspelt) and not (key == "model" and self.model is not None)
            if needed and self._value_of(key) is None:
                place = self.ledger.place(tree.get(key, tree), key=True)
                self._refuse(Problem(f"the spec needs '{key}'", place, key, None, (_MEANING[key],)))

    def _value_of(self, key: str) -> Value | None:
        """The value of a key; None where it is missing or null."""
        value = self.parts.tree.get(key)
        if isinstance(value, int) and self.ledger[value].value is None:
            return None
        return value

    def _read_heading(self) -> None:
        """Checks the values that stand alone; keys that are missing are complained of elsewhere."""
        fields = [name for name in Heading.model_fields if self._value_of(name) is not None]
        tree: Tree = {name: self.parts.tree[name] for name in fields}
        plain = cast("dict[str, Any]", self.ledger.plain(tree))
        plain["layer"] = self.parts.layers[0].text if self.parts.layers else "input"
        expansion = Expansion(classes={(): Heading})
        try:
            self.parts.heading = Heading.model_validate(plain)
        except ValidationError as error:
            heading_problems = problems_of(error, tree, path=(), expansion=expansion, ledger=self.ledger)
            self.parts.problems += [
                problem for problem in heading_problems if not problem.message.startswith("missing")
            ]

    def _named_controls(self) -> None:
        value = self._value_of("controls")
        if value is None:
            return
        tree, problems = control_names(value, ledger=self.ledger)
        self.parts.tree["controls"] = tree
        self.parts.problems += problems

    def _members(self, key: str, family: type[Plugin]) -> None:
        value = self._value_of(key)
        if value is None:
            return
        if isinstance(value, int) or self.ledger.shape(value) != "map":
            if key != "controls":
                given = in_plain_words(self.ledger.plain(value))
                message = f"{key} must be a map from names to {key}, not {given}"
                self._refuse(Problem(message, self.ledger.place(value), key))
            return
        members = dict(items_of(value))
        if not members and key == "analyses":
            self._refuse(
                Problem("analyses is empty: there is nothing to compute", self.ledger.place(value), key)
            )
        before = {"labels": ("analyses",), "scores": ("analyses", "labels")}.get(key, ())
        taken = [name for other in before for name in self.parts.named[other]]
        self.parts.problems += name_problems(
            value,
            key=key,
            reserved=(*RESERVED, *taken) if key != "analyses" else RESERVED,
            ledger=self.ledger,
        )
        for name, item in members.items():
            self._member(item, family, path=(key, name), into=self.parts.named[key], name=name)

    def _member(
        self, value: Value, family: type[Plugin], *, path: Path, into: dict[str, Plugin], name: str
    ) -> None:
        key = (path, repr(value))
        if key not in self.memory:
            self.memory[key] = self._read_member(value, family, path=path)
        member = self.memory[key]
        self._put(path, member.tree)
        self.parts.problems += member.problems
        if member.plugin is not None:
            into[name] = member.plugin

    def _read_member(self, value: Value, family: type[Plugin], *, path: Path) -> Member:
        tree, expansion = expand(
            value, family=family.family, path=path, catalog=self.catalog, ledger=self.ledger
        )
        problems = list(expansion.problems)
        if path not in expansion.spoiled:
            try:
                return Member(tree, family.model_validate(self.ledger.plain(tree)), tuple(problems))
            except ValidationError as error:
                if isinstance(tree, dict) and self.ledger.shape(tree) == "map":
                    problems += problems_of(error, tree, path=path, expansion=expansion, ledger=self.ledger)
                else:
                    problems.append(self._not_a_member(tree, path))
        return Member(tree, None, tuple(problems))

    def _not_a_member(self, value: Value, path: Path) -> Problem:
        given = in_plain_words(self.ledger.plain(value))
        message = f"{'.'.join(path)} must be a registry name, or a map with 'use' or 'kind', not {given}"
        return Problem(message, self.ledger.place(value), ".".join(path))

    def _put(self, path: Path, value: Value) -> None:
        if len(path) == 1:
            self.parts.tree[path[0]] = value
            return
        below = self.parts.tree[path[0]]
        assert isinstance(below, dict)  # only maps have members
        self.parts.tree[path[0]] = {**below, path[1]: value}

    def _refuse(self, problem: Problem) -> None:
        self.parts.problems.append(problem)


_MEANING = {
    "about": "about: what is done, in a sentence or two",
    "claim": "claim: what the experiment tests, and what would refute it",
    "seed": "seed: a whole number; all randomness follows from it",
    "model": "model: a registry name, or a map with 'kind'; `polylens ls models` lists both",
    "layer": "layer: a layer of the model, such as hidden.1, or input",
    "dataset": "dataset: a registry name, or a map with 'kind'; `polylens ls datasets` lists both",
    "analyses": "analyses: names and what each computes, such as clusters: {kind: hdbscan, ...}",
}

_FLAG = "a spec says what is computed, not on what: give --{} to `polylens run`"
_SETTING = "a spec does not say where results go: that stands in mlflow.yaml or in the environment"
_ELSEWHERE = {
    **{
        key: _FLAG.format(key.replace("_", "-"))
        for key in (
            "devices",
            "num_nodes",
            "accelerator",
            "strategy",
            "precision",
            "batch_size",
            "workers",
            "limit",
        )
    },
    **dict.fromkeys(("tracking_uri", "artifact_root", "experiment_prefix", "data_roots", "store"), _SETTING),
}
"""Keys that people look for in a spec and that stand elsewhere."""


def leaves(tree: Value, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """Every scalar of a tree with its path."""
    if isinstance(tree, int):
        yield path, tree
        return
    for key, item in tree.items():
        if key != MARK:
            yield from leaves(item, (*path, key))
