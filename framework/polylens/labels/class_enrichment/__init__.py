"""Names clusters by the class they hold too much of, and says how good the name is on other examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.labels import Label
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool


class ClassEnrichment(Label):
    """The class each cluster holds most beyond chance, named on some examples and scored on the others.

    A cluster is named where the class is over-represented beyond chance *and* more than half of its held-out
    rows are of it. One that is above chance without that majority is called `mixed, more 3`; one
    within chance has `no name`.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 3
    later_fields: ClassVar[frozenset[str]] = frozenset({"targets"})
    headline: ClassVar[tuple[str, ...]] = ("named_coverage", "held_out_share")
    numbers: ClassVar[tuple[str, ...]] = (
        "named_fraction",
        "named_coverage",
        "above_chance_coverage",
        "held_out_share",
        "median_lift",
    )

    targets: str = "class"
    """Which classes name clusters. `class`: those of the examples. Any other name: one of the
    dataset's targets of rows, such as `token_tag` or `coarse_tag` of tagged text. Chance lays them, whole
    documents at a time, over other rows."""
    holdout: float = Field(default=0.5, gt=0, lt=1)
    """Share of each class's examples that is kept from naming and used for scoring."""
    permutations: int = Field(default=500, ge=100)
    """How often the whole procedure is done with classes shuffled over examples; oftener where `level` asks
    for it."""
    level: float = Field(default=0.05, gt=0, lt=1)
    """Chance that any cluster at all is named, of all labels and layers of a spec together, although classes
    mean nothing to the clusters."""

    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
        from polylens.labels.class_enrichment.naming import class_labels

        return class_labels(
            self, rows, partition, streams=work.streams, progress=work.progress, among=work.among
        )

    def held_out(self, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
        """The rows of the examples that names are scored on."""
        from polylens.labels.class_enrichment.rules import held_out_rows

        return held_out_rows(self, rows, streams)

    def fits(self, labels: Labels, rows: Rows) -> Bool[np.ndarray, "rows clusters"]:
        """Whether a row is of the class that a cluster is named by."""
        from polylens.labels.class_enrichment.rules import fitting_rows

        return fitting_rows(labels, rows)
