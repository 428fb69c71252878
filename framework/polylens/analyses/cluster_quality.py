"""How well clusters agree with classes, beside chance, at which coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from polylens.analyses import NETWORK, Analysis, Need, Outcomes
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Partition, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import pandas as pd

    from polylens.statistics import Blocks, ClassNull


class ClusterQuality(Analysis):
    """Number of clusters, coverage, purity and adjusted mutual information, each with its chance level.

    Purity alone proves nothing and is not comparable at different coverage: read it beside coverage,
    beside the chance level, and beside the controls and the raw inputs.
    """

    headline: ClassVar[tuple[str, ...]] = ("clusters", "coverage", "purity", "adjusted_mutual_information")

    of: str
    """Name of the analysis whose clusters are scored."""
    permutations: int = Field(default=200, ge=200)
    """How often classes are shuffled over examples, for chance levels."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from and their classes."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The scored analysis."""
        return (self.of,)

    def run(
        self, rows: Rows, *, streams: Streams, upstream: Mapping[str, Findings], progress: Progress
    ) -> Findings:
        """Scores with intervals from the partition's subsamples and chance from block permutations."""
        import numpy as np

        from polylens.errors import DataError
        from polylens.statistics import (
            Blocks,
            adjusted_mutual_information,
            class_null,
            cluster_classes,
            contingency,
            coverage,
            partition_number,
            purity,
        )

        partition = upstream[self.of].partition
        if partition is None:
            raise DataError(f"'{self.of}' gives no clusters to score")
        if rows.targets is None:
            raise DataError(
                "these rows have no classes, so clusters cannot be scored by them",
                hint="use a dataset with classes, or leave 'cluster_quality' out",
            )
        targets, blocks = np.asarray(rows.targets), Blocks.of(rows.origins.example)
        null = class_null(
            partition.labels, targets, blocks=blocks, permutations=self.permutations, streams=streams
        )
        shuffles = f"{self.permutations} shuffles of classes over examples"
        numbers = {
            "clusters": partition_number(partition, lambda labels, _: float(labels.max(initial=-1) + 1)),
            "coverage": partition_number(partition, lambda labels, _: coverage(labels)),
            "purity": partition_number(
                partition,
                lambda labels, kept: purity(labels, targets[kept]),
                null=null.purity,
                null_is=shuffles,
            ),
            "adjusted_mutual_information": partition_number(
                partition,
                lambda labels, kept: adjusted_mutual_information(contingency(labels, targets[kept])),
                null=null.information,
                null_is=shuffles,
            ),
            "best_cluster_purity": partition_number(
                partition,
                lambda labels, kept: cluster_classes(labels, targets[kept]).purity.max(initial=0.0) or None,
                null=null.best_cluster_purity,
                level=0.95,
                null_is=f"{shuffles} (the best cluster of each)",
            ),
            "position_information": self._position(rows, partition, blocks, streams),
        }
        known = {name: number for name, number in numbers.items() if number is not None}
        return Findings(
            numbers=known,
            tables={
                "clusters": self._clusters(rows, partition, null),
                "curve": self._curve(rows, partition),
                "chance": self._chance(known, null),
            },
            notes=() if partition.n_clusters else ("No cluster was found: purity is not defined.",),
        )

    def on_inputs(self) -> Self:
        """The same scores for clusters of raw inputs."""
        return self

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Scores beside controls, purity against coverage, and the clusters by class."""
        from polylens.figures import clusters_by_class, purity_coverage, scores

        own = outcomes[NETWORK][0]
        panels = {
            name: {
                variant: [each.findings.numbers[name] for each in draws if name in each.findings.numbers]
                for variant, draws in outcomes.items()
            }
            for name in self.headline
        }
        curves = {
            variant: _mean_curve([each.findings for each in draws]) for variant, draws in outcomes.items()
        }
        figures = [
            Figure(
                name="scores",
                title="Scores beside controls",
                caption=(
                    "Dots: the network and each draw of each control. Lines: 5 to 95 % of clusterings of "
                    f"80 % of the examples. Ticks: classes shuffled over examples. {subject}"
                ),
                png=scores(panels),
                alt="One panel a score; the network's dot beside those of the controls and the raw inputs.",
            ),
            Figure(
                name="purity-coverage",
                title="Purity against coverage",
                caption=f"One point a min_cluster_size; controls with several draws by their mean. {subject}",
                png=purity_coverage({variant: curve for variant, curve in curves.items() if curve}),
                alt="Purity of clustered rows against the share of rows clustered, one line a variant.",
            ),
        ]
        partition = own.upstream[self.of].partition
        if partition is not None and own.rows.targets is not None:
            figures.append(
                Figure(
                    name="clusters-by-class",
                    title="Clusters by class",
                    caption=f"Rows of each class in each cluster and in noise. {partition.method}. {subject}",
                    png=clusters_by_class(
                        partition.labels, targets=own.rows.targets, classes=own.rows.classes
                    ),
                    alt="A table of counts: one line a cluster, one column a class.",
                )
            )
        return tuple(figures)

    def _position(self, rows: Rows, partition: Partition, blocks: Blocks, streams: Streams) -> Number | None:
        """Agreement of clusters with position; None where all rows stand at one position."""
        import numpy as np

        from polylens.statistics import adjusted_mutual_information, contingency, partition_number

        _, position = np.unique(rows.origins.position, return_inverse=True)
        position = position.astype(np.int64)
        if not len(position) or position.max() == 0:
            return None
        # Positions differ within an example, so that is where they are exchanged; with one row an
        # example they can only be exchanged between examples.
        within = bool((blocks.sizes > 1).any())
        null = []
        for number in range(self.permutations):
            generator = streams.generator("positions", number)
            order = blocks.rows_shuffled_within(generator) if within else blocks.moved_rows(generator)
            null.append(adjusted_mutual_information(contingency(partition.labels, position[order])))
        where = "within examples" if within else "over examples"
        return partition_number(
            partition,
            lambda labels, kept: adjusted_mutual_information(contingency(labels, position[kept])),
            null=np.array(null),
            null_is=f"{self.permutations} shuffles of positions {where}",
        )

    def _clusters(self, rows: Rows, partition: Partition, null: ClassNull) -> pd.DataFrame:
        """One line a cluster: its size, its majority class, how pure it is, and what chance gives."""
        import numpy as np
        import pandas as pd

        from polylens.statistics import cluster_classes, p_value

        targets = np.asarray(rows.targets)
        found = cluster_classes(partition.labels, targets, n_classes=len(rows.classes) or None)
        names = rows.classes or tuple(str(index) for index in range(int(targets.max(initial=0)) + 1))
        base = np.bincount(targets, minlength=len(names)) / max(len(targets), 1)
        return pd.DataFrame(
            {
                "cluster": np.arange(len(found.sizes)),
                "size": found.sizes,
                "majority_class": [names[index] for index in found.majority],
                "purity": found.purity,
                "class_share_of_rows": base[found.majority],
                "entropy_bits": found.entropy,
                "chance_purity": null.cluster_purity.mean(0),
                "chance_purity_high": np.quantile(null.cluster_purity, 0.95, axis=0),
                "family_wise_p_value": np.array(
                    [p_value(value, null.best_cluster_purity) for value in found.purity], dtype=np.float64
                ),
            }
        )

    def _curve(self, rows: Rows, partition: Partition) -> pd.DataFrame:
        """The scores at each min_cluster_size."""
        import numpy as np
        import pandas as pd

        from polylens.statistics import adjusted_mutual_information, contingency, coverage, purity

        targets = np.asarray(rows.targets)
        lines = []
        for item in partition.alternatives:
            if item.name == "min_cluster_size":
                own = targets[item.rows]
                pure = purity(item.labels, own)
                information = adjusted_mutual_information(contingency(item.labels, own))
                count = int(item.labels.max(initial=-1)) + 1
                lines.append(
                    (item.value, count, coverage(item.labels), np.nan if pure is None else pure, information)
                )
        columns = ["min_cluster_size", "clusters", "coverage", "purity", "adjusted_mutual_information"]
        return pd.DataFrame(lines, columns=columns)

    def _chance(self, numbers: Mapping[str, Number], null: ClassNull) -> pd.DataFrame:
        """Each score beside its whole null."""
        import numpy as np
        import pandas as pd

        from polylens.statistics import p_value

        nulls = {
            "purity": null.purity,
            "adjusted_mutual_information": null.information,
            "best_cluster_purity": null.best_cluster_purity,
        }
        lines = [
            (
                name,
                numbers[name].value,
                float(values.mean()),
                float(np.quantile(values, 0.95)),
                p_value(numbers[name].value, values),
            )
            for name, values in nulls.items()
            if name in numbers
        ]
        return pd.DataFrame(lines, columns=["number", "value", "chance_mean", "chance_95", "p_value"])


def _mean_curve(draws: list[Findings]) -> list[tuple[int, float, float]]:
    """(min_cluster_size, coverage, purity), averaged over the draws in which something was clustered."""
    import pandas as pd

    lines = pd.concat([findings.tables["curve"] for findings in draws]).dropna(subset=["purity"])
    means = lines.groupby("min_cluster_size")[["coverage", "purity"]].mean()
    return [
        (int(str(size)), float(line["coverage"]), float(line["purity"])) for size, line in means.iterrows()
    ]
