"""Do two partitions of the same rows agree?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import NETWORK, Keeper, Need, Outcomes, RowAnalysis, by_variant
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Figure, Findings, Number, Partition, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64

    from polylens.statistics import Blocks


_CLUSTERED = ("adjusted_mutual_information_clustered", "adjusted_rand_clustered")
_SHOWN = ("adjusted_mutual_information", "adjusted_rand", "clustered_by_both")
"""Numbers that get a panel beside the controls."""


class PartitionAgreement(RowAnalysis):
    """Adjusted agreement of two partitions: on the rows clustered by both, and times their share of either's.

    Noise is no class: that two partitions leave out the same rows is no agreement between their clusters.
    """

    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("adjusted_mutual_information",)

    of: tuple[str, str]
    """Names of the two analyses whose clusters are compared."""
    permutations: int = Field(default=200, ge=20)
    """How often one partition's labels are exchanged between examples, for chance levels."""
    resamples: int = Field(default=50, ge=2)
    """Random 80 % of the examples on which agreement is taken again, where the two were not themselves
    clustered again on common subsamples."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The two compared analyses."""
        return self.of

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """Agreement, its stability range, its chance level, and the table of counts."""
        import numpy as np
        import pandas as pd

        from polylens.statistics import Blocks, Interval, contingency, stability_range

        first, second = (upstream[name].partition for name in self.of)
        if first is None or second is None:
            raise DataError(f"'{self.of[0 if first is None else 1]}' gives no clusters to compare")
        blocks = Blocks.of(rows.origins.block)
        observed = _agreement(first.labels, second.labels)
        common = _common_subsamples(first, second)
        if common:
            again = [_agreement(left, right) for left, right in common]
            ranges = {name: stability_range(each.get(name) for each in again) for name in observed}
        else:
            again = list(self._resampled(first, second, blocks, streams))
            meaning = "5 to 95 % of {count} draws of 80 % of the examples, the partitions as they are"
            # Fewer examples, not as many drawn again: this says how stable agreement is, not how sure.
            ranges = {
                name: Interval.of((each.get(name) for each in again), meaning=meaning, range_is="stability")
                for name in observed
            }
        null: list[dict[str, float]] = []
        with progress.task("shuffling labels", total=self.permutations, unit="shuffles") as task:
            for number in range(self.permutations):
                order = blocks.moved_rows(streams.generator("rows", number))
                null.append(_agreement(first.labels, second.labels[order]))
                task.advance()
        counts = contingency(first.labels, second.labels)
        names = [_names(first), _names(second)]
        table = pd.DataFrame(counts, columns=names[1])
        table.insert(0, f"{self.of[0]} / {self.of[1]}", names[0])
        numbers = {
            name: Number(
                value, ranges[name].low, ranges[name].high, ranges[name].meaning, range_is="stability"
            )
            if name == "clustered_by_both"
            else Number(
                value,
                ranges[name].low,
                ranges[name].high,
                ranges[name].meaning,
                range_is="stability",
                chance=float(np.mean([each[name] for each in null if name in each] or [0.0])),
                chance_is=f"mean of {self.permutations} exchanges of labels between examples",
            )
            for name, value in observed.items()
        }
        alone = sum(int(size) for size in blocks.sizes if (blocks.sizes == size).sum() == 1)
        notes = (
            () if not alone else (f"{alone} rows are of examples with a row count of their own and stay.",)
        )
        lacking = [name for name in _CLUSTERED if name not in numbers]
        return Findings(
            numbers=numbers,
            tables={"contingency": table},
            notes=notes,
            undefined=dict.fromkeys(lacking, "fewer than two rows clustered by both"),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """How the clusters of one partition fall into those of the other, and agreement beside controls."""
        from polylens.figures import contingency as contingency_figure
        from polylens.figures import scores
        from polylens.statistics import contingency

        own = outcomes[NETWORK][0]
        first, second = (own.upstream[name].partition for name in self.of)
        if first is None or second is None:
            return ()
        panels = {name: by_variant(outcomes, name) for name in _SHOWN}
        return (
            Figure(
                name="contingency",
                title=f"{self.of[0]} against {self.of[1]}",
                caption=f"Rows by cluster of both. {first.method}; {second.method}. {subject}",
                png=contingency_figure(
                    contingency(first.labels, second.labels),
                    row_names=_names(first),
                    column_names=_names(second),
                    row_title=self.of[0],
                    column_title=self.of[1],
                ),
                alt="A table of counts: lines are clusters of one partition, columns those of the other.",
            ),
            Figure(
                name="agreement",
                title="Agreement beside controls",
                caption=f"Dots: the network and each draw of each control. Ticks: chance. {subject}",
                png=scores(panels),
                alt="One panel a score; the network's dot beside those of the controls.",
            ),
        )

    def _resampled(
        self, first: Partition, second: Partition, blocks: Blocks, streams: Streams
    ) -> Iterator[dict[str, float]]:
        from polylens.statistics import subsamples

        for kept in subsamples(blocks, count=self.resamples, streams=streams):
            yield _agreement(first.labels[kept], second.labels[kept])


def _agreement(first: Int64[np.ndarray, "rows"], second: Int64[np.ndarray, "rows"]) -> dict[str, float]:
    """All scores of two labellings; those on commonly clustered rows only where there are two at least."""
    from polylens.statistics import information_agreement, pair_agreement

    both = (first >= 0) & (second >= 0)
    scores = {
        "adjusted_mutual_information": information_agreement(first, second),
        "adjusted_rand": pair_agreement(first, second),
        "clustered_by_both": float(both.mean()),
    }
    if both.sum() > 1:
        one, other = first[both], second[both]
        scores["adjusted_mutual_information_clustered"] = information_agreement(one, other)
        scores["adjusted_rand_clustered"] = pair_agreement(one, other)
    return scores


def _common_subsamples(
    first: Partition, second: Partition
) -> list[tuple[Int64[np.ndarray, "chosen"], Int64[np.ndarray, "chosen"]]]:
    """Labels of both on the subsamples that both were clustered on."""
    import numpy as np

    others = {item.value: item for item in second.alternatives if item.name == "subsample"}
    return [
        (item.labels, others[item.value].labels)
        for item in first.alternatives
        if item.name == "subsample"
        and item.value in others
        and np.array_equal(item.rows, others[item.value].rows)
    ]


def _names(partition: Partition) -> list[str]:
    clusters = [str(cluster) for cluster in range(partition.n_clusters)]
    return [*clusters, "noise"] if (partition.labels < 0).any() else clusters
