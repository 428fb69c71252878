"""From a file (or plain data) to a checked study, with every mistake in one report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from polylens.catalog import Catalog, Shelf
from polylens.errors import Place, Problem, SpecError, UsageError, shown_path
from polylens.models import Model
from polylens.reading import Plain, read, write
from polylens.spec.checking import Memory, Parts, parts_of
from polylens.spec.expanding import place_in_file
from polylens.spec.experiment import KEYS, Experiment
from polylens.spec.extending import lay_over_extended, read_spec_file
from polylens.spec.keys import check_keys
from polylens.spec.layers import expanded_layers, known_layers
from polylens.spec.ledger import Ledger, Tree, Value, at, dotted_path
from polylens.spec.overrides import SET, Assignment, assign, read_override
from polylens.spec.references import reference_problems
from polylens.spec.study import Origin, Study, named_children
from polylens.spec.sweeping import Point, axes_of, points_of

FROM_PYTHON = "<spec from Python>"


def load(
    path: Path | str,
    *,
    overrides: Sequence[str] = (),
    registry: Path | None = None,
    model: Model | None = None,
) -> Study:
    """The checked study of a spec file.

    Args:
        path: the file.
        overrides: values that replace the spec's, each written `a.b=c`.
        registry: a registry folder to look through before the project's own.
        model: a model from Python that takes the place of the spec's `model`.

    Raises:
        SpecError: anything is wrong; carries every problem with its place.
    """
    source = Path(path)
    document = read_spec_file(source)
    ledger = Ledger()
    tree = lay_over_extended(document, path=source, ledger=ledger)
    written = source.read_text(encoding="utf-8")
    return _Load(source, written, tree, ledger, registry=registry, model=model).study(overrides)


def loads(
    spec: Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    registry: Path | None = None,
    model: Model | None = None,
    start: Path | None = None,
) -> Study:
    """The checked study of a spec given as plain data.

    Args:
        spec: what the YAML would say.
        overrides: values that replace the spec's, each written `a.b=c`.
        registry: a registry folder to look through before the project's own.
        model: a model from Python that takes the place of the spec's `model`.
        start: the folder from which the project, its registry and `extends` are found; the working directory.

    Raises:
        SpecError: anything in the spec is wrong; lines and columns are those of the data written as YAML.
        UsageError: something in it is not plain data.
    """
    check_keys(spec)
    try:
        written = write(cast(Plain, dict(spec)))
    except TypeError as error:
        raise UsageError(f"a spec must be plain data: {error}") from None
    source = (Path.cwd() if start is None else start) / "spec.yaml"
    ledger = Ledger()
    tree = lay_over_extended(read(written, file=FROM_PYTHON), path=source, ledger=ledger)
    return _Load(source, written, tree, ledger, registry=registry, model=model, exists=False).study(overrides)


class _Load:
    """One spec on its way from a tree of tokens to a study."""

    def __init__(
        self,
        source: Path,
        written: str,
        tree: Tree,
        ledger: Ledger,
        *,
        registry: Path | None,
        model: Model | None,
        exists: bool = True,
    ) -> None:
        self.source = source
        self.written = written
        self.tree = tree
        self.as_written = dict(tree)
        self.ledger = ledger
        self.registry = registry
        self.model = model
        self.exists = exists
        self.memory: Memory = {}
        self.problems: dict[tuple[str, Place | None], Problem] = {}
        catalog = Catalog.around(source.parent)
        own = () if registry is None else (Shelf(registry, shown_path(registry)),)
        self.catalog = Catalog((*own, *catalog.shelves))

    def study(self, overrides: Sequence[str]) -> Study:
        """The study, or every problem there is."""
        swept = "sweep" in self.tree and self.ledger.plain(self.tree["sweep"])
        given = self._override(overrides)
        sweep = self.tree.pop("sweep", None)
        if swept and sweep is not None and self.ledger.plain(sweep) == {}:
            sweep = None  # overrides took out everything that was swept
        axes, problems = axes_of(sweep, spec=self.tree, ledger=self.ledger)
        self._say(problems)
        self._say(_without_effect(given, [key for axis in axes for key in axis.keys]))
        base = self._parts(self.tree)
        base_layers = self._layers(base)
        children = []
        for point in points_of(axes):
            parts = base
            if point.assignments:
                moved = self._tree_at_point(point)
                if moved is None:
                    continue
                parts = self._parts(moved)
            layers = base_layers if parts is base else self._layers(parts)
            if not self.problems:
                children += self._children(parts, point, layers)
        if self.problems:
            raise SpecError(sorted(self._problems_with_causes(overrides), key=_order))
        stem = self.source.stem if self.exists else "spec"
        return Study(
            name=stem,
            source=self.source if self.exists else None,
            written=self.written,
            resolved=self._resolved_plain(base, base_layers, sweep),
            overrides=tuple(overrides),
            children=named_children(stem, children),
            project=next((f for f in self.source.resolve().parents if (f / "mlflow.yaml").is_file()), None),
            place_of=lambda path: self._place_of(path, base),
            origins=lambda: self._origins(base, base_layers, sweep),
        )

    def _problems_with_causes(self, overrides: Sequence[str]) -> Iterator[Problem]:
        """What is wrong; where overrides make a mistake of what stands in the file, that is said."""
        without = self._problems_without_overrides() if overrides else set(self.problems)
        cause = " ".join(f"--set {text}" for text in overrides)
        for key, problem in self.problems.items():
            elsewhere = problem.place is not None and problem.place.file != SET
            if elsewhere and key not in without:
                yield replace(problem, notes=(*problem.notes, f"without {cause} this would be no mistake"))
            else:
                yield problem

    def _problems_without_overrides(self) -> set[tuple[str, Place | None]]:
        again = _Load(
            self.source,
            self.written,
            self.as_written,
            self.ledger,
            registry=self.registry,
            model=self.model,
            exists=self.exists,
        )
        try:
            again.study(())
        except SpecError:
            return set(again.problems)
        return set()

    def _override(self, overrides: Sequence[str]) -> list[Assignment]:
        given = []
        for text in overrides:
            try:
                assignment = read_override(text, ledger=self.ledger)
                self.tree = assign(self.tree, assignment, ledger=self.ledger)
                given.append(assignment)
            except SpecError as error:
                self._say(error.problems)
        return given

    def _tree_at_point(self, point: Point) -> Tree | None:
        """The spec at one point of the sweep."""
        tree = self.tree
        try:
            for assignment in point.assignments:
                tree = assign(tree, assignment, ledger=self.ledger)
        except SpecError as error:
            self._say(error.problems)
            return None
        return tree

    def _parts(self, tree: Tree) -> Parts:
        parts = parts_of(tree, catalog=self.catalog, ledger=self.ledger, memory=self.memory, model=self.model)
        self._say(parts.problems)
        self._say(reference_problems(parts, ledger=self.ledger))
        return parts

    def _layers(self, parts: Parts) -> tuple[str, ...]:
        model = parts.single.get("model")
        if not isinstance(model, Model):
            return tuple(pattern.text for pattern in parts.layers)
        layers, problems = expanded_layers(parts.layers, model=model, known=known_layers(model))
        self._say(problems)
        return layers

    def _children(
        self, parts: Parts, point: Point, layers: Sequence[str]
    ) -> list[tuple[Experiment, dict[str, Any], dict[str, str]]]:
        swept = {
            key: self.ledger.plain(assignment.value)
            for key, assignment in zip(point.keys, point.assignments, strict=True)
        }
        experiment = parts.experiment()
        several = len(layers) > 1 or any(pattern.is_glob for pattern in parts.layers)
        return [
            (
                experiment.model_copy(update={"layer": layer}),
                {**swept, "layer": layer} if several else swept,
                parts.names,
            )
            for layer in layers
        ]

    def _resolved_plain(self, base: Parts, layers: Sequence[str], sweep: Value | None) -> dict[str, Any]:
        plain = base.experiment().to_plain()
        plain["layer"] = list(layers) if len(layers) > 1 else layers[0]
        if sweep is not None and (swept := self.ledger.plain(sweep)) is not None:
            plain["sweep"] = swept
        return {key: plain[key] for key in KEYS if key in plain}

    def _origins(self, base: Parts, layers: Sequence[str], sweep: Value | None) -> tuple[Origin, ...]:
        tree = dict(base.tree)
        if sweep is not None:
            tree["sweep"] = sweep
        return tuple(
            Origin(
                dotted_path(path),
                value,
                None if (written := at(tree, path)) is None else self.ledger.place(written),
            )
            for path, value in _flat_values(self._resolved_plain(base, layers, sweep))
        )

    def _place_of(self, dotted_path: str, base: Parts) -> Place:
        path = tuple(re.sub(r"\[(\d+)\]", r".\1", dotted_path).split(".")) if dotted_path else ()
        tree = next((tree for tree in (self.tree, base.tree) if at(tree, path) is not None), self.tree)
        place = place_in_file(tree, path, ledger=self.ledger)
        assert place is not None  # a spec without a single key is refused
        return place

    def _say(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.problems.setdefault((problem.message, problem.place), problem)


def _flat_values(
    plain: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no map, with its path."""
    for key, value in plain.items():
        if isinstance(value, Mapping) and value:
            yield from _flat_values(value, (*path, key))
        else:
            yield (*path, key), value


def _without_effect(given: Sequence[Assignment], swept: Sequence[str]) -> list[Problem]:
    """Overrides of keys that every point of the sweep changes again."""
    problems = []
    for assignment in given:
        path = ".".join(assignment.path)
        for key in swept:
            if path == key or path.startswith(f"{key}."):
                note = f"--set sweep.{key}=[...] changes what is swept, sweep.{key}=null leaves it out"
                message = f"'{path}' is swept, so this has no effect"
                problems.append(Problem(message, assignment.keys[-1], path, None, (note,)))
    return problems


def _order(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return ("", 0, 0) if place is None else (place.file, place.line, place.column)
