"""Labels of a child's clusters, and scores of labels and clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.records import Findings, Grouping, Labels, Rows, Shown
from polylens.scores import Labeler, Subject
from polylens.store import load_findings, load_labels, save_findings, save_labels
from polylens.study.plans import VariantPlan
from polylens.study.returned import checked_findings, checked_labels
from polylens.work import RowSource, Work

if TYPE_CHECKING:
    from polylens.study.walk import Walk

_MOST_SHOWN = 1000
"""Examples whose pictures are kept: judges are asked of the same ones again and again."""


class Naming:
    """The stages of a walk that name clusters, and say how far names hold."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._context = lru_cache(_MOST_SHOWN)(walk.plan.examples.context)
        self._known: tuple[str, dict[str, dict[bytes, Labels]]] = ("", {})
        """Title of the variant at hand; by label what it said of other row sets than the clusters."""

    def label(self, variant: VariantPlan, name: str) -> None:
        """Labels the clusters of one analysis."""
        planned = variant.labels[name]

        def work(folder: Path) -> None:
            of = planned.label.of
            partition = self._walk.findings(variant, of).clusters(of, to="label")
            rows = self._walk.rows(variant, targets=planned.label.named_targets())
            services = Work(
                streams=variant.streams.child(planned.label.kind()),
                progress=self._walk.performer.progress_of(planned.stage),
                among=planned.among,
                judging=self._walk.workshop.judging,
                shown=self._shown(rows),
                source=self._source(variant),
            )
            given = planned.label.label(rows, partition, services)
            save_labels(folder, checked_labels(planned.label, "label", given, partition))

        self._walk.performer.perform(planned.stage, work)

    def score(self, variant: VariantPlan, name: str) -> None:
        """Scores labels, or clusters, of one analysis."""
        planned = variant.scores[name]

        def work(folder: Path) -> None:
            of = planned.score.of
            labelers = {label: self._labeler(variant, label) for label in planned.labels}
            rows = self._walk.rows(variant)
            shown = self._shown(rows)
            services = Work(
                streams=variant.streams.child("scores", planned.score.kind()),
                progress=self._walk.performer.progress_of(planned.stage),
                judging=self._walk.workshop.judging,
                shown=shown,
                source=self._source(variant),
            )
            partition = self._walk.findings(variant, of).clusters(of, to="score")
            subject = Subject(rows, partition, labelers, shown, self._beside(variant, planned.score.beside))
            found = planned.score.score(subject, services)
            save_findings(folder, checked_findings(planned.score, "score", found))

        self._walk.performer.perform(planned.stage, work)

    def labels(self, variant: VariantPlan, name: str) -> Labels:
        """The labels of one partition's clusters."""
        stage = variant.labels[name].stage
        return self._walk.performer.read(
            lambda: load_labels(self._walk.performer.open(stage)),
            again=lambda: self.label(variant, name),
        )

    def scored(self, variant: VariantPlan, name: str) -> Findings:
        """What one score found."""
        stage = variant.scores[name].stage
        return self._walk.performer.read(
            lambda: load_findings(self._walk.performer.open(stage)),
            again=lambda: self.score(variant, name),
        )

    def score_outcomes(self, name: str) -> Mapping[str, tuple[Findings, ...]]:
        """What one score found, draw by draw, by variant."""
        outcomes: dict[str, tuple[Findings, ...]] = {}
        for variant in self._walk.plan.variants:
            if name in variant.scores:
                found = self.scored(variant, name)
                outcomes[variant.name] = (*outcomes.get(variant.name, ()), found)
        return outcomes

    def _beside(self, variant: VariantPlan, name: str | None) -> Mapping[str, Grouping]:
        """The row sets of the analysis that a score sets beside clusters."""
        if name is None:
            return {}
        return variant.analyses[name].analysis.groupings(self._walk.findings(variant, name))

    def _labeler(self, variant: VariantPlan, name: str) -> Labeler:
        planned = variant.labels[name]
        streams = variant.streams.child(planned.label.kind())
        labels = self.labels(variant, name)
        rows = self._walk.rows(variant, targets=planned.label.named_targets())
        if self._known[0] != variant.title:
            self._known = (variant.title, {})
        known = self._known[1].setdefault(name, {})
        return Labeler(name, planned.label, labels, rows, streams, planned.among, known)

    def _source(self, variant: VariantPlan) -> RowSource:
        """The network and the examples that a variant's rows come from."""
        return RowSource(self._walk.plan.examples, lambda: self._walk.probed_network(variant))

    def _shown(self, rows: Rows) -> Callable[[int], Shown]:
        """What people and judges are shown of a row."""
        origins = rows.origins

        def shown(row: int) -> Shown:
            return self._context(int(origins.example[row]), int(origins.position[row]))

        return shown
