"""Names clusters by the class they hold too much of, and says how good the name is on other examples."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.errors import DataError
from polylens.labels import Label
from polylens.progress import Progress
from polylens.records import ClusterLabel, Labels, Partition, Rows
from polylens.streams import Streams


class ClassEnrichment(Label):
    """The class each cluster holds most beyond chance, named on some examples and scored on the others.

    A cluster is named where the class is over-represented beyond chance *and* more than half of its held-out
    rows are of it. One that is above chance without that majority is called `mixed, more 3`; one
    within chance has `no name`.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("named_coverage", "held_out_share")

    holdout: float = Field(default=0.5, gt=0, lt=1)
    """Share of each class's examples that is kept from naming and used for scoring."""
    permutations: int = Field(default=500, ge=100)
    """How often the whole procedure is done with classes shuffled over examples; oftener where `level` asks
    for it."""
    level: float = Field(default=0.05, gt=0, lt=1)
    """Chance that any cluster at all is named, of all labels and layers of a spec together, although classes
    mean nothing to the clusters."""

    def label(
        self, rows: Rows, partition: Partition, *, streams: Streams, progress: Progress, among: int = 1
    ) -> Labels:
        """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
        import numpy as np

        from polylens.labels._evidence import notes_of, numbers_of, rounds_for, undefined_of
        from polylens.labels.class_enrichment.tables import cluster_table, runners_up
        from polylens.statistics import UNNAMED, Blocks, enrich

        if rows.targets is None or not rows.classes:
            raise DataError(
                "these rows have no classes to name clusters by",
                hint="use a dataset with classes, or leave 'class_enrichment' out",
            )
        level = self.level / among
        rounds = rounds_for(level, least=self.permutations)
        with progress.task("naming clusters", total=1, unit="partitions") as task:
            found = enrich(
                partition.labels,
                np.asarray(rows.targets),
                blocks=Blocks.of(rows.origins.block),
                n_classes=len(rows.classes),
                holdout=self.holdout,
                permutations=rounds,
                streams=streams,
            )
            task.advance()
        sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)
        chance_lift, p_values = found.chance_lift(level), np.minimum(found.p_values * among, 1.0)
        share, lift = np.nan_to_num(found.share), np.nan_to_num(found.lift)
        above_chance = (p_values <= self.level) & (found.held_out_rows > 0)
        clusters = tuple(
            ClusterLabel(
                cluster=index,
                guess=rows.classes[found.name[index]] if found.name[index] != UNNAMED else "",
                size=int(sizes[index]),
                share=float(share[index]),
                lift=float(lift[index]),
                chance_lift=float(chance_lift[index]),
                p_value=float(p_values[index]),
                above_chance=bool(above_chance[index]),
            )
            for index in range(partition.n_clusters)
        )
        return Labels(
            clusters=clusters,
            numbers=numbers_of(
                found,
                clusters,
                n_rows=len(partition.labels),
                level=level,
                chance_is=f"mean of {rounds} rounds of naming and scoring with shuffled classes",
            ),
            tables={
                "clusters": cluster_table(rows, partition, found, clusters),
                "runners_up": runners_up(rows, found),
            },
            notes=notes_of(found, copies=rows.origins.n_copies, level=self.level, among=among),
            undefined=undefined_of(clusters),
        )
