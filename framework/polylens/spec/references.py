"""What the parts of a spec ask of each other: `of:`, codes, training, layers of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast, get_args

from polylens.analyses import Analysis, Need
from polylens.codes import Code
from polylens.controls import Control
from polylens.datasets import Dataset
from polylens.errors import Place, Problem, nearest
from polylens.labels import Label
from polylens.models import Model
from polylens.scores import Score
from polylens.spec.checking import Parts
from polylens.spec.identity import BESIDE, REFERENCE, scored_labels
from polylens.spec.layers import known_layers
from polylens.spec.ledger import Ledger, Path, at, dotted_path, items_of
from polylens.spec.named_numbers import named_number_problems


def reference_problems(parts: Parts, *, ledger: Ledger) -> Iterator[Problem]:
    """Problems between parts that are each right by themselves, such as an `of` that leads nowhere."""
    checker = _Checker(parts, ledger)
    yield from checker.references()
    yield from checker.promises()
    yield from checker.cycles()
    yield from checker.codes()
    yield from checker.data()
    yield from checker.layers()
    yield from checker.training()
    yield from named_number_problems(parts, ledger=ledger)


class _Checker:
    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self.parts = parts
        self.ledger = ledger
        self.analyses = cast("Mapping[str, Analysis]", parts.named["analyses"])
        self.labels = cast("Mapping[str, Label]", parts.named["labels"])
        self.scores = cast("Mapping[str, Score]", parts.named["scores"])
        written = parts.tree.get("analyses", {})
        named = isinstance(written, dict) and ledger.shape(written) == "map"
        self.written = [name for name, _ in items_of(written)] if isinstance(written, dict) and named else []

    def references(self) -> Iterator[Problem]:
        """Problems of `of`: each must lead to an analysis, and for some to one that gives clusters."""
        for name, analysis in self.analyses.items():
            for number, upstream in enumerate(analysis.upstream()):
                path = self._reference_path(("analyses", name, REFERENCE), number)
                wanted = analysis.stands_on_partitions and upstream != name
                yield from self._reference(upstream, path, partition=wanted)
        for name, label in self.labels.items():
            yield from self._reference(label.of, ("labels", name, REFERENCE), partition=True)
        for name, score in self.scores.items():
            yield from self._reference(score.of, ("scores", name, REFERENCE), partition=True)
            yield from self._scored(name, score)
            yield from self._beside(name, score)
            yield from self._judged(name, score)

    def _scored(self, name: str, score: Score) -> Iterator[Problem]:
        """Problems of the labels that a score names, or finds."""
        fitting = [label for label, member in self.labels.items() if member.of == score.of]
        for number, label in enumerate(score.labels):
            if label not in fitting:
                place = self._place(("scores", name, "labels", str(number)))
                message = f"'{label}' labels no clusters of '{score.of}'"
                notes = (f"labels of '{score.of}': {', '.join(fitting) or 'none'}",)
                yield Problem(message, place, f"scores.{name}.labels", nearest(label, fitting), notes)
        if score.needs_labels and not scored_labels(score, self.labels):
            place = self._place(("scores", name), key=True)
            message = f"scores.{name} ({score.kind()}) is of labels, and nothing labels '{score.of}'"
            note = f"for example labels: {{words: {{kind: class_enrichment, of: {score.of}}}}}"
            yield Problem(message, place, f"scores.{name}", None, (note,))

    def _judged(self, name: str, score: Score) -> Iterator[Problem]:
        """Problems of scores that need a judge and have none."""
        if score.judge is not None or score.asks == "nobody":
            return
        known = [label for label in scored_labels(score, self.labels) if label in self.labels]
        texts = [label for label in known if not self.labels[label].answers_by_rule()]
        if score.asks == "always":
            message = f"scores.{name} ({score.kind()}) asks a judge, and none is given"
        elif texts:
            kind = self.labels[texts[0]].kind()
            message = (
                f"the label '{texts[0]}' ({kind}) is a text, and only a judge can say which rows it fits"
            )
        else:
            return
        note = "for example judge: {kind: compatible, model: NAME}"
        yield Problem(message, self._place(("scores", name), key=True), f"scores.{name}", None, (note,))

    def _beside(self, name: str, score: Score) -> Iterator[Problem]:
        """Problems of the analysis whose row sets are scored beside the clusters."""
        if score.beside is None:
            return
        path = ("scores", name, BESIDE)
        yield from self._reference(score.beside, path, partition=False)
        member = self.analyses.get(score.beside)
        if member is None:
            return
        fitting = [
            known
            for known, analysis in self.analyses.items()
            if analysis.gives_groupings and analysis.upstream() == (score.of,)
        ]
        if score.beside not in fitting:
            stands_on = ", ".join(member.upstream())
            wrong = f"stands on the clusters of '{stands_on}', and the score is of '{score.of}'"
            if not member.gives_groupings:
                wrong = "gives no row sets to score beside clusters"
            example = f"for example analyses: {{directions: {{kind: directions, of: {score.of}}}}}"
            note = f"these do: {', '.join(fitting)}" if fitting else example
            message = f"'{score.beside}' ({member.kind()}) {wrong}"
            yield Problem(message, self._place(path), dotted_path(path), None, (note,))

    def promises(self) -> Iterator[Problem]:
        """Problems of analyses whose class says something that no analysis can say."""
        for name, analysis in self.analyses.items():
            place, path = self._place(("analyses", name), key=True), f"analyses.{name}"
            for need in sorted(str(each) for each in analysis.needs() - set(get_args(Need))):
                message = f"{path} ({analysis.kind()}) needs '{need}', and rows have no such part"
                meant, parts = nearest(need, get_args(Need)), ", ".join(get_args(Need))
                yield Problem(message, place, path, meant, (f"parts that `needs` can name: {parts}",))
            of = getattr(analysis, "of", None)
            if isinstance(of, str) and of in self.analyses and of not in analysis.upstream():
                message = f"{path} ({analysis.kind()}) is of '{of}', and its class does not say so"
                note = "let its method `upstream` return the names of what it stands on: (self.of,)"
                yield Problem(message, place, path, None, (note,))

    def cycles(self) -> Iterator[Problem]:
        """Problems of analyses that stand on themselves, directly or through others."""
        finished: set[str] = set()
        for start in self.analyses:
            trail: list[str] = []
            yield from self._visit(start, trail, finished)

    def codes(self) -> Iterator[Problem]:
        """Problems of analyses without the `code` that they read, and of codes on unknown layers."""
        if "code" not in self.parts.tree:
            for name, analysis in self.analyses.items():
                if "codes" in analysis.needs():
                    place = self._place(("analyses", name), key=True)
                    message = f"analyses.{name} ({analysis.kind()}) reads codes, but the spec has no 'code'"
                    note = "for example code: {kind: sign, units: own, positions: same}"
                    yield Problem(message, place, f"analyses.{name}", None, (note,))
        code = self.parts.single.get("code")
        if isinstance(code, Code):
            for name, analysis in self.analyses.items():
                why = analysis.why_no_code(is_graded=code.is_graded)
                if why is not None:
                    place = self._place(("analyses", name), key=True)
                    message = f"analyses.{name} ({analysis.kind()}) cannot take this code: {why}"
                    yield Problem(message, place, f"analyses.{name}")
        model = self.parts.single.get("model")
        if isinstance(code, Code) and isinstance(model, Model):
            known = known_layers(model)
            for layer in code.later_layers() if known is not None else ():
                if layer not in (known or ()):
                    yield self._unknown_layer(layer, known or (), ("code",))

    def data(self) -> Iterator[Problem]:
        """Problems of analyses and labels that ask for classes or tokens which the dataset does not have."""
        dataset = self.parts.single.get("dataset")
        if not isinstance(dataset, Dataset):
            return
        yield from self._targets(dataset)
        carried = dataset.carried()
        if carried is None:
            return
        for key, members in (("analyses", self.analyses), ("labels", self.labels)):
            for name, member in members.items():
                for missing in sorted(member.asked() - carried):
                    place = self._place((key, name), key=True)
                    asks = f"{key}.{name} ({member.kind()}) asks for {missing}"
                    note = f"take a dataset whose rows have {missing}, or leave {name} out"
                    yield Problem(
                        f"{asks}, and {dataset.kind()} has none", place, f"{key}.{name}", None, (note,)
                    )

    def _targets(self, dataset: Dataset) -> Iterator[Problem]:
        """Problems of analyses and labels that name targets which the dataset's rows do not have."""
        known = dataset.row_targets()
        for key, members in (("analyses", self.analyses), ("labels", self.labels)):
            for name, member in members.items():
                asked = member.named_targets()
                if asked is None or asked in known:
                    continue
                place = self._place((key, name, "targets"))
                has = ", ".join(("class", *known))
                yield Problem(
                    f"rows of {dataset.kind()} have no targets called '{asked}'",
                    place,
                    f"{key}.{name}.targets",
                    nearest(asked, known),
                    (f"targets: {has}",),
                )

    def layers(self) -> Iterator[Problem]:
        """Problems of analyses that name further layers which the model does not have."""
        model = self.parts.single.get("model")
        known = known_layers(model) if isinstance(model, Model) else None
        for name, analysis in self.analyses.items() if known is not None else ():
            for layer in analysis.named_layers():
                if layer not in (known or ()):
                    yield self._unknown_layer(layer, known or (), ("analyses", name))

    def training(self) -> Iterator[Problem]:
        """Problems of controls that this model cannot have, such as a training that it does not have."""
        model = self.parts.single.get("model")
        if not isinstance(model, Model):
            return
        for name, control in self.parts.named["controls"].items():
            refused = cast(Control, control).why_not(model)
            if refused is not None:
                place = self._place(("controls", name), key=True)
                message = f"the control '{name}' {refused[0]}"
                yield Problem(message, place, f"controls.{name}", None, (refused[1],))

    def _reference(self, name: str, path: Path, *, partition: bool) -> Iterator[Problem]:
        place = self._place(path)
        if not self.written:
            return
        if name not in self.written:
            notes = (f"analyses: {', '.join(self.written)}", *self._used_note(path, place))
            message = f"no analysis is called '{name}'"
            yield Problem(message, place, dotted_path(path), nearest(name, self.written), notes)
            return
        member = self.analyses.get(name)
        if partition and member is not None and not member.gives_partition:
            fitting = [known for known, analysis in self.analyses.items() if analysis.gives_partition]
            notes = (f"these do: {', '.join(fitting)}" if fitting else "hdbscan and kmeans do",)
            message = f"'{name}' ({member.kind()}) gives no clusters to stand on"
            yield Problem(message, place, dotted_path(path), None, (*notes, *self._used_note(path, place)))

    def _visit(self, name: str, trail: list[str], finished: set[str]) -> Iterator[Problem]:
        if name in trail:
            circle = [*trail[trail.index(name) :], name]
            upstream = self.analyses[circle[-2]].upstream()
            path = self._reference_path(("analyses", circle[-2], REFERENCE), upstream.index(name))
            notes = (" -> ".join(circle),)
            yield Problem("'of' goes in a circle", self._place(path), dotted_path(path), None, notes)
        elif name in self.analyses and name not in finished:
            for upstream_name in self.analyses[name].upstream():
                yield from self._visit(upstream_name, [*trail, name], finished)
            finished.add(name)

    def _reference_path(self, path: Path, number: int) -> Path:
        """The path of one name under `of`: that of item `number` where it is a list, else of `of` itself."""
        value = at(self.parts.tree, path)
        return path if value is None or isinstance(value, int) else (*path, str(number))

    def _unknown_layer(self, layer: str, known: Sequence[str], where: Path) -> Problem:
        path = self._path_of_text(where, layer)
        notes = (f"layers: {', '.join(known)}",)
        message = f"the model has no layer '{layer}'"
        return Problem(message, self._place(path), dotted_path(path), nearest(layer, known), notes)

    def _path_of_text(self, where: Path, text: str) -> Path:
        """The path of the value at or below `where` that is this text; `where` itself if none is."""
        tree = at(self.parts.tree, where)
        for key, value in items_of(tree) if isinstance(tree, dict) else ():
            if self.ledger.text(value) == text:
                return (*where, key)
            if isinstance(value, dict):
                below = self._path_of_text((*where, key), text)
                if below != (*where, key):
                    return below
        return where

    def _place(self, path: Path, *, key: bool = False) -> Place | None:
        """The place of the value at a path, in the spec or in the registry entry that the spec names."""
        value = at(self.parts.written, path)
        if value is None:
            value = at(self.parts.tree, path)
        return None if value is None else self.ledger.place(value, key=key)

    def _used_note(self, path: Path, place: Place | None) -> tuple[str, ...]:
        """A note that says where the spec names a registry entry, for a problem at `place` in its file."""
        member = at(self.parts.written, path[:2])
        named = None if member is None else self.ledger.place(member, key=True)
        if named is None or place is None or named.file == place.file:
            return ()
        return (f"used in {named.file}:{named.line}:{named.column}",)
