"""The clusters of a past run that people are asked about, and what they are shown of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from polylens.analyses import NETWORK
from polylens.annotation import clusters_digest
from polylens.errors import StoreError
from polylens.labels._splits import shared_split
from polylens.labels.given import HOLDOUT, Given
from polylens.progress import Silent
from polylens.records import Examples, Labels, Partition, Rows, Shown, TokenContext
from polylens.report.passages import passage
from polylens.spec import loads
from polylens.streams import Streams
from polylens.study.opened_examples import OpenedExamples
from polylens.study.past import PastRun
from polylens.study.people.gathering import analysis_meant
from polylens.study.planning import with_data_located
from polylens.study.variants import variants_of


@dataclass(frozen=True)
class Clusters:
    """The clusters of one analysis on one draw of one network, and which rows people may be shown."""

    rows: Rows
    partition: Partition
    held_out: Bool[np.ndarray, "rows"]
    """Rows that people are not shown, so that labels can be scored on them."""


@dataclass(frozen=True)
class PeopleSubject:
    """One analysis of a past run."""

    run: PastRun
    of: str
    """Name of the analysis."""

    @staticmethod
    def of_run(run: PastRun, asked: str | None) -> PeopleSubject:
        """The analysis that is meant; raises as `analysis_meant` does."""
        return PeopleSubject(run, analysis_meant(run, asked))

    @cached_property
    def own(self) -> Clusters:
        """The network's clusters."""
        return self.clusters(NETWORK)

    @cached_property
    def digest(self) -> str:
        """Digest of the network's clusters, under which the store keeps what people say of them."""
        return clusters_digest(self.own.rows, self.own.partition)

    @property
    def streams(self) -> Streams:
        """The randomness of what people are shown."""
        return Streams(int(self.run.spec["seed"])).child(Given.kind())

    def clusters(self, variant: str, draw: int = 1) -> Clusters:
        """The clusters of one draw of a network or control.

        Raises:
            StoreError: the store no longer has them.
        """
        rows = self.run.stored.rows(variant, draw)
        partition = self.run.stored.partition(self.of, variant, draw)
        held_out = shared_split(rows, HOLDOUT, self.streams)
        return Clusters(rows, partition, held_out)

    def labels(self) -> Mapping[str, Labels]:
        """What each label of the spec says of the network's clusters, by its name."""
        return {
            name: self.run.stored.labels(name)
            for name, label in self.run.label_kinds.items()
            if label.of == self.of
        }

    @cached_property
    def examples(self) -> Examples:
        """The run's examples, opened again.

        Raises:
            StoreError: the data are not what they were.
            DataError: the dataset cannot be opened.
        """
        (child,) = loads(dict(self.run.spec), start=self.run.settings.project).children
        experiment = with_data_located(child, self.run.settings).experiment
        limit = self.run.params.get("limit")
        recipe = variants_of(experiment, limit=None if limit is None else int(limit))[0].recipe
        examples = OpenedExamples(self.run.settings, Silent()).of(recipe)
        if examples.fingerprint != self.run.stored.fingerprint():
            raise StoreError(
                f"the dataset of the run '{self.run.name}' is not what it was when the run was made",
                hint=f"{self.run.stored.again} makes a run of the data as they are now",
            )
        return examples

    def shown(self, rows: Rows) -> Callable[[int], Shown]:
        """What people are shown of a row, by its number."""
        origins, examples = rows.origins, self.examples
        return lambda row: examples.context(int(origins.example[row]), int(origins.position[row]))

    def identity(self) -> dict[str, Any]:
        """All that the run is found by again, also while MLflow is away."""
        logged = self.run.logged
        return {
            "run_id": logged.run_id,
            "name": logged.name,
            "experiment": logged.experiment,
            "digest": logged.spec_digest,
            "parent_id": logged.parent_id,
        }


def in_words(shown: Shown) -> str:
    """What is shown of a row as one line: a window of text with the token in quotes, or a picture's name."""
    if not isinstance(shown, TokenContext):
        return shown.title
    cut = passage(shown)
    return f"{cut.before}«{cut.token}»{cut.after}"
